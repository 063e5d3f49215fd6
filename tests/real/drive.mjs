// Drives the built program against a real Bluesky server: `node drive.mjs BINARY SERVER_DIR`.
//
// The program reads a feed file and talks to the server through the proxy below, which loses
// answers, holds them, or shows the server a token that has lapsed. After each case every entry
// must be in the repository exactly once: the server itself is asked.
import { spawn, execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const [binary, serverDir] = process.argv.slice(2)
const here = dirname(fileURLToPath(import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'posse-party-real-'))
const JWT_SECRET = 'a secret of this run'
const TOTAL_MS = 170_000
const CASE_MS = 20_000

const children = new Set()
const clean = () => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
}
process.on('exit', clean)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
let passed = 0
const close = () => {
  const failed = Object.keys(cases).length - passed
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}
setTimeout(() => {
  console.log(`FAILED  the run took more than ${TOTAL_MS / 1000} s`)
  close()
}, TOTAL_MS).unref()

// ---- the server ----

const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})

/** Starts a process, and keeps its lines. */
const start = (command, args, options) => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  children.add(child)
  child.lines = []
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream.on('data', (data) => {
      const parts = (rest + data).split('\n')
      rest = parts.pop()
      child.lines.push(...parts)
    })
  }
  child.ended = new Promise((resolve) => child.on('exit', (code, signal) => {
    children.delete(child)
    resolve(signal ?? code)
  }))
  return child
}

const until = async (what, test, ms = CASE_MS) => {
  const end = Date.now() + ms
  for (;;) {
    const found = await test()
    if (found) return found
    if (Date.now() > end) throw new Error(`waited ${ms / 1000} s in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const line = (child, word, after = 0) => until(`\`${word}\``, () => {
  if (!children.has(child)) throw new Error(`ended early:\n${child.lines.join('\n')}`)
  return child.lines.slice(after).find((text) => text.includes(word))
})

const pds = start('node', [join(here, 'pds.mjs')], {
  cwd: serverDir,
  env: {
    ...process.env,
    PORT: String(await freePort()),
    PLC_PORT: String(await freePort()),
    DATA: join(dir, 'pds'),
    JWT_SECRET,
    LOG_ENABLED: 'false',
  },
})
const server = JSON.parse((await line(pds, 'READY ')).slice('READY '.length))

const toggle = async (word) => {
  const after = pds.lines.length
  pds.kill('SIGHUP')
  await line(pds, word, after)
}

/** How many posts of the repository have this text; without one, how many posts there are. */
const posts = async (text) => {
  const query = `repo=${server.did}&collection=app.bsky.feed.post&limit=100`
  const answer = await fetch(`${server.url}/xrpc/com.atproto.repo.listRecords?${query}`)
  const { records } = await answer.json()
  return records.filter(({ value }) => text === undefined || value.text === text).length
}

// ---- the proxy ----

/** What happens to the next request of a method: `lose`, `hold` or `expired`. */
const troubles = []
const seen = []
const held = []

const expiredToken = () => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    scope: 'com.atproto.appPass', aud: 'did:web:localhost', sub: server.did,
    iat: now - 7201, exp: now - 1,
  }
  const signed = `${part({ typ: 'at+jwt', alg: 'HS256' })}.${part(claims)}`
  return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`
}

const proxy = http.createServer((request, response) => {
  const method = request.url.split('?')[0].split('.').at(-1)
  const at = troubles.findIndex((trouble) => trouble.method === method)
  const trouble = at < 0 ? undefined : troubles.splice(at, 1)[0].what
  const headers = { ...request.headers, host: new URL(server.url).host }
  if (trouble === 'expired') headers.authorization = `Bearer ${expiredToken()}`
  const onward = http.request(server.url + request.url, { method: request.method, headers })
  onward.on('response', (answer) => {
    const chunks = []
    answer.on('data', (chunk) => chunks.push(chunk))
    answer.on('end', () => {
      const body = Buffer.concat(chunks)
      const name = answer.statusCode < 400 ? '' : JSON.parse(body).error ?? ''
      seen.push(`${method} ${answer.statusCode} ${name} ${trouble ?? ''}`.trim())
      if (trouble === 'hold') return held.push(response)
      if (trouble === 'lose') return response.destroy()
      response.writeHead(answer.statusCode, answer.headers)
      response.end(body)
    })
  })
  // a server that is down: its proxy hangs up, as if it were not there
  onward.on('error', () => response.destroy())
  request.pipe(onward)
})
const proxyUp = (port) => new Promise((resolve) => proxy.listen(port, '127.0.0.1', resolve))
const proxyDown = () => new Promise((resolve) => {
  proxy.close(resolve)
  proxy.closeAllConnections()
})
await proxyUp(0)
const proxyPort = proxy.address().port

// ---- the program ----

const config = join(dir, 'config.toml')
const feed = join(dir, 'feed.xml')
const titles = []

const write = (path, text) => {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

const publishFeed = () => {
  const entries = titles.map((title, n) => `
  <entry>
    <id>tag:example.com,2026:${n}</id>
    <title>${title}</title>
    <link href="https://example.com/${n}"/>
    <published>${new Date().toISOString()}</published>
    <updated>${new Date().toISOString()}</updated>
  </entry>`)
  write(feed, `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>tag:example.com,2026:feed</id>
  <title>Blog</title>
  <link href="https://example.com/"/>
  <updated>${new Date().toISOString()}</updated>${entries.reverse().join('')}
</feed>
`)
}

write(config, `
database = ${JSON.stringify(join(dir, 'posse-party.db'))}

[feeds.blog]
url = ${JSON.stringify(pathToFileURL(feed).href)}
poll = "1s"

[accounts.bluesky]
platform = "bluesky"
identifier = ${JSON.stringify(server.handle)}
app_password = ${JSON.stringify(server.password)}
base_url = "http://127.0.0.1:${proxyPort}"
delay = "0s"
format_string = "{{title}}"
append_url = false

[delivery]
retry_base = "1s"
retry_max = "2s"
timeout = "4s"
connect_timeout = "1s"
`)

const run = (...args) => new Promise((resolve, reject) => {
  execFile(binary, [...args, '--config', config], { timeout: 20_000 }, (error, out, err) => {
    if (error) reject(new Error(`\`posse-party ${args.join(' ')}\`: ${error.message}\n${err}`))
    else resolve(out)
  })
})

let daemon
const log = []
const startDaemon = async () => {
  daemon = start(binary, ['run', '--config', config])
  log.push(daemon.lines)
  await line(daemon, ' ready: ')
}

const crosspost = async (title) => {
  const list = JSON.parse(await run('list', '--json'))
  return list.find((crosspost) => crosspost.title === title)
}

const reaches = (title, state) => until(`\`${title}\` to be ${state}`, async () => {
  if (daemon.exitCode !== null) throw new Error(`the daemon ended: ${daemon.exitCode}`)
  return (await crosspost(title))?.state === state
})

/** A new entry of the feed, which the program reads every second. */
const announce = (title) => {
  titles.push(title)
  publishFeed()
}

const isThereOnce = async (title) => {
  await reaches(title, 'published')
  const { url } = await crosspost(title)
  if (!url.startsWith(`https://bsky.app/profile/${server.did}/post/`)) throw new Error(url)
  const found = await posts(title)
  if (found !== 1) throw new Error(`it is there ${found} times`)
}

const isTriedInVain = async (title) => {
  await until('an attempt', async () => (await crosspost(title))?.attempts > 0)
  if ((await crosspost(title)).state === 'published') throw new Error('published to nobody')
}

// ---- the cases ----

const cases = {
  'the first poll publishes nothing': async () => {
    titles.push('old')
    publishFeed()
    await startDaemon()
    await reaches('old', 'skipped')
    if (await posts() !== 0) throw new Error('something was posted')
  },
  'lost answer to createSession': async (title) => {
    troubles.push({ method: 'createSession', what: 'lose' })
    announce(title)
    await isThereOnce(title)
  },
  'a post': async (title) => {
    announce(title)
    await isThereOnce(title)
  },
  'lost answer to putRecord': async (title) => {
    troubles.push({ method: 'putRecord', what: 'lose' })
    announce(title)
    await isThereOnce(title)
  },
  'lost answers to putRecord and getRecord': async (title) => {
    troubles.push({ method: 'putRecord', what: 'lose' }, { method: 'getRecord', what: 'lose' })
    announce(title)
    await isThereOnce(title)
  },
  'expired access token': async (title) => {
    troubles.push({ method: 'putRecord', what: 'expired' })
    announce(title)
    await isThereOnce(title)
    if (!seen.includes('putRecord 400 ExpiredToken expired')) throw new Error('the token worked')
  },
  'expired access token, and a lost answer to refreshSession': async (title) => {
    troubles.push({ method: 'putRecord', what: 'expired' })
    troubles.push({ method: 'refreshSession', what: 'lose' })
    announce(title)
    await isThereOnce(title)
  },
  'the server is down, and up again': async (title) => {
    await toggle('DOWN')
    announce(title)
    await isTriedInVain(title)
    await toggle('UP')
    await isThereOnce(title)
  },
  'connections are refused, and taken again': async (title) => {
    await proxyDown()
    announce(title)
    await isTriedInVain(title)
    await proxyUp(proxyPort)
    await isThereOnce(title)
  },
  'killed before the answer to putRecord came': async (title) => {
    troubles.push({ method: 'putRecord', what: 'hold' })
    announce(title)
    await until('the post', () => held.length > 0)
    daemon.kill('SIGKILL')
    await daemon.ended
    held.splice(0).forEach((response) => response.destroy())
    await startDaemon()
    await isThereOnce(title)
  },
  'stopped and started, it repeats nothing': async (title) => {
    daemon.kill('SIGTERM')
    const end = await daemon.ended
    if (end !== 0) throw new Error(`SIGTERM ended it with ${end}`)
    const before = await posts()
    await startDaemon()
    announce(title)
    await isThereOnce(title)
    if (await posts() !== before + 1) throw new Error('it posted something else, too')
  },
  'check --online names the account, in the same session': async () => {
    const told = await run('check', '--online')
    if (!told.includes(`@${server.handle}`)) throw new Error(told)
  },
  'every entry once, with two sign-ins in all': async () => {
    if (troubles.length > 0) throw new Error(`never met: ${JSON.stringify(troubles)}`)
    for (const title of titles.filter((title) => title !== 'old')) {
      const found = await posts(title)
      if (found !== 1) throw new Error(`\`${title}\` is there ${found} times`)
    }
    if (await posts() !== titles.length - 1) throw new Error('there are posts of no entry')
    const signIns = seen.filter((call) => call.startsWith('createSession')).length
    if (signIns !== 2) throw new Error(`${signIns} sign-ins`)
  },
  'the log holds no password and no token': async () => {
    const told = log.flat().find((text) => text.includes(server.password) || text.includes('eyJ'))
    if (told !== undefined) throw new Error('it does')
    if (log.flat().length === 0) throw new Error('there is no log')
  },
}

for (const [title, test] of Object.entries(cases)) {
  const started = Date.now()
  try {
    await test(title)
    passed += 1
    console.log(`ok      ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)`)
  } catch (error) {
    console.log(`FAILED  ${title}: ${error.message}`)
    const context = [...seen.slice(-12), ...(daemon?.lines.slice(-25) ?? [])]
    console.log(context.map((text) => `        ${text}`).join('\n'))
  }
}
daemon?.kill('SIGTERM')
pds.kill('SIGTERM')
await Promise.race([
  Promise.all([daemon?.ended, pds.ended]),
  new Promise((resolve) => setTimeout(resolve, 5000)),
])
close()
