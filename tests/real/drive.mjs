// Drives the built program against a real Bluesky server: `node drive.mjs BINARY SERVER_DIR`.
//
// The program reads a feed file and talks to the server through the proxy below, which loses
// answers, holds them, or shows the server a token that has lapsed. After each case every entry
// must be in the repository exactly once: the server itself is asked.
import { spawn, execFile } from 'node:child_process'
import { createHmac, randomFillSync } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { Transform } from 'node:stream'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { deflateSync } from 'node:zlib'

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

/** The titles of the entries, in order, and the texts of those whose text is another. */
const titles = []
const texts = new Map()

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

/** The posts of the repository. */
const records = async () => {
  const query = `repo=${server.did}&collection=app.bsky.feed.post&limit=100`
  const answer = await fetch(`${server.url}/xrpc/com.atproto.repo.listRecords?${query}`)
  return (await answer.json()).records.map(({ value }) => value)
}

/** How many posts of the repository have this text; without one, how many posts there are. */
const posts = async (text) => {
  return (await records()).filter((post) => text === undefined || post.text === text).length
}

/** The card of the post with this text. */
const card = async (text) => {
  return (await records()).find((post) => post.text === text).embed.external
}

/** The bytes of a picture, as the server gives them to everyone. */
const blob = async (thumb) => {
  const query = `did=${server.did}&cid=${thumb.ref.$link}`
  const answer = await fetch(`${server.url}/xrpc/com.atproto.sync.getBlob?${query}`)
  if (!answer.ok) throw new Error(`getBlob: ${answer.status}`)
  return Buffer.from(await answer.arrayBuffer())
}

// ---- the web: the pages of the entries, and their pictures ----

/** The check sum of a PNG chunk. */
const crc32 = (bytes) => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

/** A PNG of one colour, or of noise, which can't be packed. */
const png = (width, height, isNoise = false) => {
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data])
    const frame = Buffer.alloc(8)
    frame.writeUInt32BE(data.length, 0)
    frame.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2], 8) // 8 bits, red green blue
  const rows = Buffer.alloc(height * (1 + 3 * width), 100)
  if (isNoise) randomFillSync(rows)
  for (let row = 0; row < height; row += 1) rows[row * (1 + 3 * width)] = 0
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0)),
  ])
}

/** The titles of the entries whose page there is. */
const paged = new Set()
/** How many images the entries of these titles carry. */
const pictured = new Map()
/** The `n`th of them: small enough to go as it is. */
const image = (n) => png(64 + n, 64)
/** The titles of the entries whose one image is too large to go as it is. */
const large = new Set()
const largeImage = png(1200, 900, true)
const web = http.createServer((request, response) => {
  const title = titles[Number(request.url.slice(1))]
  const [, nth] = request.url.match(/^\/image-(\d)\.png$/) ?? []
  if (request.url === '/picture.png') {
    response.end(png(1600, 800))
  } else if (request.url === '/large.png') {
    response.end(largeImage)
  } else if (nth !== undefined) {
    response.setHeader('content-type', 'image/png')
    response.end(image(Number(nth)))
  } else if (paged.has(title)) {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(`<title>no</title><meta property="og:title" content="The page of ${title}">
      <meta property="og:description" content="What it is about">
      <meta property="og:image" content="/picture.png">`)
  } else {
    response.statusCode = 404
    response.end()
  }
})
const webPort = await freePort()
await new Promise((resolve) => web.listen(webPort, '127.0.0.1', resolve))

// ---- the proxy ----

/** What happens to the next request of a method: `lose`, `hold`, `expired`, or what changes it. */
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

/** Changes to a record on its way, none of its length. */
const changes = {
  /** Another picture is in it, one that the server was never given. */
  forgotten: (text) => text.replace(
    /("\$link":"\w{20})(\w)/, (all, start, letter) => start + (letter === 'a' ? 'b' : 'a'),
  ),
  /** The card leads nowhere. */
  spoiled: (text) => text.replace('"external":{"uri":"http:', '"external":{"uri":"h ttp'),
}

const changing = (change) => {
  const chunks = []
  return new Transform({
    transform: (chunk, encoding, done) => {
      chunks.push(chunk)
      done()
    },
    flush: (done) => {
      done(null, change(Buffer.concat(chunks).toString()))
    },
  })
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
  if (trouble in changes) request.pipe(changing(changes[trouble])).pipe(onward)
  else request.pipe(onward)
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

const write = (path, text) => {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

const enclosures = (title) => large.has(title) ? `
    <link rel="enclosure" type="image/png" href="http://127.0.0.1:${webPort}/large.png"/>` : Array.from({ length: pictured.get(title) ?? 0 }, (_, n) => `
    <media:content xmlns:media="http://search.yahoo.com/mrss/" medium="image" type="image/png"
      url="http://127.0.0.1:${webPort}/image-${n}.png">
      <media:description type="plain">Image ${n} &amp; more</media:description>
    </media:content>`).join('')

const publishFeed = () => {
  const entries = titles.map((title, n) => `
  <entry>
    <id>tag:example.com,2026:${n}</id>
    <title>${title}</title>
    <link href="http://127.0.0.1:${webPort}/${n}"/>${enclosures(title)}
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

[http]
allow_private = ["127.0.0.1"]

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

const hasPicture = async (title) => {
  const { title: told, description, thumb } = await card(title)
  if (told !== `The page of ${title}`) throw new Error(told)
  if (description !== 'What it is about') throw new Error(description)
  if (thumb?.mimeType !== 'image/jpeg') throw new Error(JSON.stringify(thumb))
  const bytes = await blob(thumb)
  if (bytes.length !== thumb.size || bytes.readUInt16BE(0) !== 0xffd8) throw new Error('no JPEG')
}

/** That the one post of an entry shows all its images, with their words, byte for byte. */
const hasImages = async (title) => {
  await reaches(title, 'published')
  const [post, ...more] = (await records()).filter((post) => post.text.startsWith(title))
  if (more.length > 0) throw new Error(`it is there ${more.length + 1} times`)
  texts.set(title, post.text) // the URL stands in the text, now that there is no card
  const images = post.embed?.images ?? []
  if (images.length !== pictured.get(title)) throw new Error(JSON.stringify(post))
  for (const [n, { image: there, alt, aspectRatio: { width, height } }] of images.entries()) {
    if (alt !== `Image ${n} & more`) throw new Error(alt)
    if (width !== 64 + n || height !== 64) throw new Error(`${width} × ${height}`)
    if (!image(n).equals(await blob(there))) throw new Error(`image ${n} is another`)
  }
}

/** Width and height of a JPEG. */
const jpegSize = (bytes) => {
  for (let at = 2; at < bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1]
    if (marker === 0xc0 || marker === 0xc2) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)]
  }
  throw new Error('no JPEG')
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
  'a card with what the page says, and its picture': async (title) => {
    paged.add(title)
    announce(title)
    await isThereOnce(title)
    await hasPicture(title)
  },
  'lost answer to the putRecord of a card with a picture': async (title) => {
    paged.add(title)
    troubles.push({ method: 'putRecord', what: 'lose' })
    announce(title)
    await isThereOnce(title)
    await hasPicture(title)
  },
  'lost answer to uploadBlob: a card without a picture': async (title) => {
    paged.add(title)
    troubles.push({ method: 'uploadBlob', what: 'lose' })
    announce(title)
    await isThereOnce(title)
    const { title: told, thumb } = await card(title)
    if (told !== `The page of ${title}` || thumb !== undefined) throw new Error(`${told}, ${thumb}`)
  },
  'a card without a page says what the feed says': async (title) => {
    announce(title)
    await isThereOnce(title)
    const { title: told, thumb } = await card(title)
    if (told !== title || thumb !== undefined) throw new Error(`${told}, ${thumb}`)
  },
  'a picture that the server lost before the post': async (title) => {
    paged.add(title)
    troubles.push({ method: 'putRecord', what: 'forgotten' })
    announce(title)
    await isThereOnce(title)
    await hasPicture(title)
    const lost = seen.findIndex((call) => call.startsWith('putRecord 400 BlobNotFound'))
    if (lost < 0) throw new Error('the server had it')
    if (!seen.slice(lost).includes('uploadBlob 200')) throw new Error('it was not uploaded again')
  },
  'a card that the server refuses: its URL is in the text': async (title) => {
    paged.add(title)
    troubles.push({ method: 'putRecord', what: 'spoiled' })
    announce(title)
    await reaches(title, 'published')
    const text = `${title} 127.0.0.1:${webPort}/${titles.indexOf(title)}` // shown short
    const [post, ...more] = (await records()).filter((post) => post.text.startsWith(title))
    if (post.text !== text || post.embed || more.length > 0) throw new Error(JSON.stringify(post))
    texts.set(title, text)
    if (!seen.includes('putRecord 400 InvalidRequest spoiled')) throw new Error('it was taken')
  },
  'images with their words, and what the server gives back': async (title) => {
    pictured.set(title, 4)
    announce(title)
    await hasImages(title)
  },
  'an image that is too large is made smaller': async (title) => {
    large.add(title)
    announce(title)
    await reaches(title, 'published')
    const [post, ...more] = (await records()).filter((post) => post.text.startsWith(title))
    texts.set(title, post.text)
    const [{ image: there, aspectRatio: { width, height } }] = post.embed.images
    const bytes = await blob(there)
    if (more.length > 0 || there.mimeType !== 'image/jpeg') throw new Error(JSON.stringify(post))
    if (bytes.length !== there.size || bytes.length > 1_000_000) throw new Error(`${bytes.length} bytes`)
    const size = jpegSize(bytes).join(' × ')
    if (size !== `${width} × ${height}`) throw new Error(`${size}, and not ${width} × ${height}`)
    if (Math.abs(width / height - 4 / 3) > 0.01) throw new Error(`another shape: ${size}`)
  },
  'lost answer to the upload of an image': async (title) => {
    pictured.set(title, 2)
    troubles.push({ method: 'uploadBlob', what: 'lose' })
    announce(title)
    await hasImages(title)
  },
  'lost answer to the putRecord of a post with images': async (title) => {
    pictured.set(title, 2)
    troubles.push({ method: 'putRecord', what: 'lose' })
    announce(title)
    await hasImages(title)
  },
  'images that the server lost before the post': async (title) => {
    pictured.set(title, 2)
    troubles.push({ method: 'putRecord', what: 'forgotten' })
    announce(title)
    await hasImages(title)
    if (!seen.includes('putRecord 400 BlobNotFound forgotten')) throw new Error('the server had it')
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
      const found = await posts(texts.get(title) ?? title)
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
