// A real Bluesky server (@atproto/pds) and its directory (@did-plc/server, in memory), in one
// process, on loopback, with one account. Run where `install.sh` put them:
//   cd DIR && PORT=… PLC_PORT=… DATA=… JWT_SECRET=… node pds.mjs
// Prints `READY {json}`. SIGHUP takes the server down, another one brings it up with the same data
// (`DOWN`, `UP`); SIGTERM ends it.
import { createRequire } from 'node:module'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import net from 'node:net'

process.env.NODE_ENV ??= 'development'
const { PORT, PLC_PORT, DATA, JWT_SECRET } = process.env
const installed = createRequire(join(process.cwd(), 'package.json'))

// both servers listen on every address of the machine, unless one is named
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (at, ...rest) {
  if (typeof at === 'number' && typeof rest[0] !== 'string') rest.unshift('127.0.0.1')
  else if (typeof at === 'object' && 'port' in at && !at.host) at = { ...at, host: '127.0.0.1' }
  return listen.call(this, at, ...rest)
}

const { PDS, envToCfg, envToSecrets } = installed('@atproto/pds')
const { Database, PlcServer } = installed('@did-plc/server')
const { Secp256k1Keypair } = installed('@atproto/crypto')

const plc = PlcServer.create({ db: Database.mock(), port: Number(PLC_PORT) })
await plc.start()

mkdirSync(join(DATA, 'repos'), { recursive: true })
const rotation = await Secp256k1Keypair.create({ exportable: true })
const settings = {
  devMode: true,
  port: Number(PORT),
  dataDirectory: join(DATA, 'repos'),
  blobstoreDiskLocation: join(DATA, 'blobs'),
  didPlcUrl: `http://localhost:${PLC_PORT}`,
  recoveryDidKey: (await Secp256k1Keypair.create()).did(),
  plcRotationKeyK256PrivateKeyHex: Buffer.from(await rotation.export()).toString('hex'),
  adminPassword: 'admin',
  jwtSecret: JWT_SECRET,
  serviceHandleDomains: ['.test'],
  inviteRequired: false,
  disableSsrfProtection: true,
  bskyAppViewUrl: 'https://appview.invalid',
  bskyAppViewDid: 'did:example:invalid',
  modServiceUrl: 'https://moderator.invalid',
  modServiceDid: 'did:example:invalid',
}
const up = async () => {
  const pds = await PDS.create(envToCfg(settings), envToSecrets(settings))
  await pds.start()
  return pds
}
let pds = await up()

const url = `http://127.0.0.1:${PORT}`
const post = async (method, body, token) => {
  const headers = { 'content-type': 'application/json' }
  if (token) headers.authorization = `Bearer ${token}`
  const answer = await fetch(`${url}/xrpc/com.atproto.server.${method}`, {
    method: 'POST', headers, body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${method}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}
const handle = 'ada.test'
const { did, accessJwt } = await post('createAccount', {
  email: 'ada@example.test', handle, password: 'the main password',
})
const { password } = await post('createAppPassword', { name: 'posse-party' }, accessJwt)
console.log('READY ' + JSON.stringify({ url, did, handle, password }))

process.on('SIGHUP', async () => {
  if (pds) {
    const running = pds
    pds = null
    await running.destroy()
    console.log('DOWN')
  } else {
    pds = await up()
    console.log('UP')
  }
})
const stop = async () => {
  try {
    await pds?.destroy()
    await plc.destroy()
  } finally {
    process.exit(0)
  }
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
