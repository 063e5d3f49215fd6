//! Table: figures as Markdown, as they stand in docs/performance.md.

/// One figure.
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The figure.
    pub figure: String,
    /// The bare loop's, where it has one.
    pub bare: String,
    /// What it should be.
    pub goal: String,
}

/// A figure that the bare loop has not.
pub fn row(what: &str, figure: String, goal: &str) -> Row {
    Row { what: what.into(), figure, bare: String::new(), goal: goal.into() }
}

/// Prints the machine and the table.
pub fn print(rows: &[Row]) {
    println!("{}\n", machine());
    println!("| | posse-party | bare loop | goal |\n|---|---|---|---|");
    for Row { what, figure, bare, goal } in rows {
        println!("| {what} | {figure} | {bare} | {goal} |");
    }
}

fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let models: Vec<&str> = cpus
        .lines()
        .filter(|line| line.starts_with("model name"))
        .filter_map(|line| line.split_once(": "))
        .map(|(_, model)| model)
        .collect();
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{} × {}, Linux {}, load {load} at the end",
        models.len(),
        models.first().unwrap_or(&"unknown CPU"),
        kernel.trim()
    )
}
