'use strict'
// Packets of the JavaScript Interledger clients through our connector: every row of "how a real
// connector answers", with a BTP sender and an HTTP sender, to a BTP receiver and an HTTP receiver.
const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')
const crypto = require('crypto')
const { readFileSync } = require('fs')
const net = require('net')
const BtpPacket = require('btp-packet')
const IlpPacket = require('ilp-packet')
const PluginBtp = require('ilp-plugin-btp')
const PluginHttp = require('ilp-plugin-http').default
const WebSocket = require('ws')
const { startConnector, metric } = require('./connector')

const binary = process.env.CONNECTOR
const usd = { code: 'USD', scale: 9 }
const sha256 = bytes => crypto.createHash('sha256').update(bytes).digest()

// A port for somebody who cannot bind to 0. The kernel gives those of its ephemeral range to whoever
// connects or binds to 0, and so perhaps this one before it is bound: it comes from below that range.
const [firstEphemeral] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number)
async function freePort () {
  for (;;) {
    const port = crypto.randomInt(10000, Math.max(firstEphemeral, 20000))
    const server = net.createServer()
    const free = await new Promise(resolve => server.once('error', () => resolve(false)).listen(port, () => resolve(true)))
    if (!free) continue
    await new Promise(resolve => server.close(resolve))
    return port
  }
}

function prepare (destination, fields = {}) {
  const fulfillment = fields.fulfillment || crypto.randomBytes(32)
  return IlpPacket.serializeIlpPrepare({
    amount: fields.amount || '10',
    expiresAt: new Date(Date.now() + (fields.expiresIn === undefined ? 5000 : fields.expiresIn)),
    executionCondition: sha256(fulfillment),
    destination,
    data: fulfillment
  })
}

// What receivers do, by the last segment of the destination.
const seen = []
async function receive (packet) {
  const { destination, amount, data, expiresAt } = IlpPacket.deserializeIlpPrepare(packet)
  seen.push({ destination, amount, expiresAt })
  switch (destination.split('.').pop()) {
    case 'wrong':
      return IlpPacket.serializeIlpFulfill({ fulfillment: crypto.randomBytes(32), data: Buffer.alloc(0) })
    case 'reject':
      return IlpPacket.serializeIlpReject({ code: 'F99', triggeredBy: destination, message: 'no', data: Buffer.from('why') })
    case 'silent':
      return new Promise(() => {})
    default:
      return IlpPacket.serializeIlpFulfill({ fulfillment: data, data: Buffer.from('thanks') })
  }
}

let connector
let bob
let webReceiver
const senders = {}

before(async () => {
  const receiverPort = await freePort()
  connector = await startConnector(binary, {
    address: 'test.slipway',
    btp: { host: '127.0.0.1', port: 0 },
    http: { host: '127.0.0.1', port: 0 },
    expiryMarginMs: 1000,
    accounts: [
      { id: 'alice', asset: usd, token: 'tok-alice', minimumBalance: '-2000000000' },
      { id: 'webalice', asset: usd, token: 'tok-webalice', minimumBalance: '-2000000000' },
      { id: 'bob', asset: usd, token: 'tok-bob' },
      { id: 'webbob', asset: usd, token: 'tok-webbob', http: { url: `http://127.0.0.1:${receiverPort}/ilp`, token: 'to-webbob' } },
      { id: 'away', asset: usd, token: 'tok-away' },
      { id: 'gone', asset: usd, http: { url: `http://127.0.0.1:${await freePort()}/`, token: 'x' } }
    ],
    routes: [{ prefix: 'test.slipway.bob.elsewhere', account: 'webbob' }]
  })
  bob = new PluginBtp({ server: connector.btpUrl('tok-bob') })
  bob.registerDataHandler(receive)
  await bob.connect()
  webReceiver = new PluginHttp({ incoming: { port: receiverPort, staticToken: 'to-webbob' }, outgoing: { url: connector.ilpUrl, staticToken: 'tok-webbob' } })
  webReceiver.registerDataHandler(receive)
  await webReceiver.connect()
  senders.btp = new PluginBtp({ server: connector.btpUrl('tok-alice') })
  await senders.btp.connect()
  senders.http = new PluginHttp({ incoming: { port: await freePort(), staticToken: 'unused' }, outgoing: { url: connector.ilpUrl, staticToken: 'tok-webalice' } })
  await senders.http.connect()
})

after(async () => {
  await senders.btp.disconnect()
  await senders.http.disconnect()
  await webReceiver.disconnect()
  await bob.disconnect()
  assert.strictEqual(await connector.stop(), 0)
})

async function answer (sender, packet) {
  return IlpPacket.deserializeIlpPacket(await senders[sender].sendData(packet))
}

async function code (sender, packet) {
  const { typeString, data } = await answer(sender, packet)
  assert.strictEqual(typeString, 'ilp_reject')
  return data
}

for (const sender of ['btp', 'http']) {
  for (const receiver of ['bob', 'webbob']) {
    describe(`${sender} sender to ${receiver}`, () => {
      it('a good Prepare is fulfilled, with amount kept and expiry a second earlier', async () => {
        const fulfillment = crypto.randomBytes(32)
        const before = Date.now()
        const { typeString, data } = await answer(sender, prepare(`test.slipway.${receiver}.x`, { fulfillment }))
        assert.strictEqual(typeString, 'ilp_fulfill')
        assert.deepStrictEqual(data.fulfillment, fulfillment)
        assert.strictEqual(data.data.toString(), 'thanks')
        const last = seen[seen.length - 1]
        assert.strictEqual(last.amount, '10')
        assert.ok(Math.abs(last.expiresAt - before - 4000) < 1000)
      })
      it("the receiver's reject is passed through", async () => {
        const reject = await code(sender, prepare(`test.slipway.${receiver}.reject`))
        assert.strictEqual(reject.code, 'F99')
        assert.strictEqual(reject.triggeredBy, `test.slipway.${receiver}.reject`)
        assert.strictEqual(reject.data.toString(), 'why')
      })
      it('a wrong preimage is F05 from the connector', async () => {
        const reject = await code(sender, prepare(`test.slipway.${receiver}.wrong`))
        assert.strictEqual(reject.code, 'F05')
        assert.strictEqual(reject.triggeredBy, 'test.slipway')
      })
      it('a silent receiver is R00 at expiry minus one second', async () => {
        const started = Date.now()
        const reject = await code(sender, prepare(`test.slipway.${receiver}.silent`, { expiresIn: 1500 }))
        assert.strictEqual(reject.code, 'R00')
        const took = Date.now() - started
        assert.ok(took >= 450 && took < 5000, `${took} ms`)
      })
      it('amounts up to 1e9 pass, as STREAM probes with them', async () => {
        const { typeString } = await answer(sender, prepare(`test.slipway.${receiver}.x`, { amount: '100000000' }))
        assert.strictEqual(typeString, 'ilp_fulfill')
      })
    })
  }
  describe(`${sender} sender, the connector's own answers`, () => {
    const refused = (what, expected, packet) => it(`${what} is ${expected}`, async () => {
      const reject = await code(sender, packet())
      assert.strictEqual(reject.code, expected)
      assert.strictEqual(reject.triggeredBy, 'test.slipway')
    })
    refused('no route', 'F02', () => prepare('test.elsewhere.x'))
    refused('a peer that is not connected', 'T01', () => prepare('test.slipway.away'))
    refused('an expired packet', 'R02', () => prepare('test.slipway.bob', { expiresIn: -1000 }))
    refused('a packet too short-lived', 'R02', () => prepare('test.slipway.bob', { expiresIn: 900 }))
    refused('an amount over the balance', 'T04', () => prepare('test.slipway.bob', { amount: '2000000001' }))
    refused('garbage with type 12', 'F01', () => Buffer.from([12, 5, 1, 2, 3, 4, 5]))
    it('IL-DCP tells the account its address and asset', async () => {
      const ILDCP = require('ilp-protocol-ildcp')
      const info = await ILDCP.fetch(packet => senders[sender].sendData(packet))
      assert.strictEqual(info.clientAddress, sender === 'btp' ? 'test.slipway.alice' : 'test.slipway.webalice')
      assert.strictEqual(info.assetCode, 'USD')
      assert.strictEqual(info.assetScale, 9)
    })
  })
}

describe('links', () => {
  it('a peer that refuses connections is T01', async () => {
    assert.strictEqual((await code('btp', prepare('test.slipway.gone'))).code, 'T01')
  })
  it('a longer prefix wins', async () => {
    const before = metric(await connector.metrics(), 'ilp_account_balance_units{account="webbob",asset="USD",scale="9"}')
    await answer('btp', prepare('test.slipway.bob.elsewhere.x', { amount: '77' }))
    const now = metric(await connector.metrics(), 'ilp_account_balance_units{account="webbob",asset="USD",scale="9"}')
    assert.strictEqual(now - before, 77)
  })
  it('an HTTP account can be paid by another and pays back over its own POSTs', async () => {
    const reply = await webReceiver.sendData(prepare('test.slipway.bob.x'))
    assert.strictEqual(IlpPacket.deserializeIlpPacket(reply).typeString, 'ilp_fulfill')
  })
  it('a wrong token over HTTP is 401', async () => {
    const reply = await fetch(connector.ilpUrl, { method: 'POST', headers: { authorization: 'Bearer nope', 'content-type': 'application/octet-stream' }, body: prepare('test.slipway.bob') })
    assert.strictEqual(reply.status, 401)
  })
  it('a wrong token over BTP is an Error, and Close', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${connector.btpPort}`, { perMessageDeflate: true })
    await new Promise(resolve => socket.once('open', resolve))
    assert.strictEqual(socket.extensions, '')
    const protocolData = [
      { protocolName: 'auth', contentType: BtpPacket.MIME_APPLICATION_OCTET_STREAM, data: Buffer.alloc(0) },
      { protocolName: 'auth_token', contentType: BtpPacket.MIME_TEXT_PLAIN_UTF8, data: Buffer.from('nope') }
    ]
    const closed = new Promise(resolve => socket.once('close', resolve))
    const message = new Promise(resolve => socket.once('message', resolve))
    socket.send(BtpPacket.serialize({ type: BtpPacket.TYPE_MESSAGE, requestId: 5, data: { protocolData } }))
    const reply = BtpPacket.deserialize(await message)
    assert.strictEqual(reply.type, BtpPacket.TYPE_ERROR)
    assert.strictEqual(reply.requestId, 5)
    assert.strictEqual(await closed, 1008)
    assert.ok(!connector.errors.join().includes('nope'))
  })
  it('a newer connection of an account evicts the older', async () => {
    const open = async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${connector.btpPort}`)
      await new Promise(resolve => socket.once('open', resolve))
      const protocolData = [
        { protocolName: 'auth', contentType: BtpPacket.MIME_APPLICATION_OCTET_STREAM, data: Buffer.alloc(0) },
        { protocolName: 'auth_username', contentType: BtpPacket.MIME_TEXT_PLAIN_UTF8, data: Buffer.from('away') },
        { protocolName: 'auth_token', contentType: BtpPacket.MIME_TEXT_PLAIN_UTF8, data: Buffer.from('tok-away') }
      ]
      const message = new Promise(resolve => socket.once('message', resolve))
      socket.send(BtpPacket.serialize({ type: BtpPacket.TYPE_MESSAGE, requestId: 1, data: { protocolData } }))
      assert.strictEqual(BtpPacket.deserialize(await message).type, BtpPacket.TYPE_RESPONSE)
      return socket
    }
    const older = await open()
    const evicted = new Promise(resolve => older.once('close', resolve))
    const newer = await open()
    assert.strictEqual(await evicted, 1008)
    newer.close()
  })
  it('a Callback-Url is answered with 202 and a POST of the packet', async () => {
    const receiver = require('http').createServer()
    const posted = new Promise(resolve => receiver.once('request', async (request, response) => {
      const chunks = []
      for await (const chunk of request) chunks.push(chunk)
      response.end()
      resolve({ id: request.headers['request-id'], auth: request.headers.authorization, packet: Buffer.concat(chunks) })
    }))
    await new Promise(resolve => receiver.listen(0, '127.0.0.1', resolve))
    const port = receiver.address().port
    const own = await startConnector(binary, {
      address: 'test.own',
      btp: { host: '127.0.0.1', port: 0 },
      http: { host: '127.0.0.1', port: 0 },
      accounts: [{ id: 'caller', asset: usd, token: 'tok-caller', http: { url: `http://127.0.0.1:${port}/ilp`, token: 'to-caller' } }]
    })
    const headers = { authorization: 'Bearer tok-caller', 'content-type': 'application/octet-stream', 'request-id': '42d09367-cdd8-4ec1-9a8d-c1e0dc9ac7a1' }
    const post = callback => fetch(own.ilpUrl, { method: 'POST', headers: { ...headers, 'callback-url': callback }, body: prepare('test.elsewhere.x') })
    assert.strictEqual((await post('http://127.0.0.1:1/elsewhere')).status, 400)
    assert.strictEqual((await post(`http://127.0.0.1:${port}/reply`)).status, 202)
    const { id, auth, packet } = await posted
    assert.strictEqual(id, headers['request-id'])
    assert.strictEqual(auth, 'Bearer to-caller')
    assert.strictEqual(IlpPacket.deserializeIlpReject(packet).code, 'F02')
    receiver.close()
    assert.strictEqual(await own.stop(), 0)
  })
  it('a peer that answers 202 and POSTs the packet to our Callback-Url later', async () => {
    const btpPort = await freePort()
    const callbackUrl = `http://127.0.0.1:${btpPort}/ilp`
    const asked = []
    const reply = (id, packet, token = 'tok-later') => fetch(callbackUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', 'request-id': id },
      body: packet
    })
    const receiver = require('http').createServer(async (request, response) => {
      const chunks = []
      for await (const chunk of request) chunks.push(chunk)
      response.writeHead(202).end()
      const id = request.headers['request-id']
      const { destination, data } = IlpPacket.deserializeIlpPrepare(Buffer.concat(chunks))
      asked.push({ id, callback: request.headers['callback-url'], auth: request.headers.authorization })
      if (destination.endsWith('.silent')) return
      const fulfill = IlpPacket.serializeIlpFulfill({ fulfillment: data, data: Buffer.from('later') })
      // From another account it answers nothing, under another id neither, and twice only once.
      await reply(id, fulfill, 'tok-payer')
      await reply('00000000-0000-4000-8000-0000ffffffff', fulfill)
      assert.strictEqual((await reply(id, fulfill)).status, 200)
      await reply(id, fulfill)
    })
    await new Promise(resolve => receiver.listen(0, '127.0.0.1', resolve))
    const own = await startConnector(binary, {
      address: 'test.own',
      btp: { host: '127.0.0.1', port: btpPort },
      http: { host: '127.0.0.1', port: 0 },
      accounts: [
        { id: 'payer', asset: usd, token: 'tok-payer' },
        { id: 'later', asset: usd, token: 'tok-later', http: { url: `http://127.0.0.1:${receiver.address().port}/ilp`, token: 'to-later', callbackUrl } }
      ]
    })
    const pay = async (destination, fields) => {
      const answer = await fetch(own.ilpUrl, { method: 'POST', headers: { authorization: 'Bearer tok-payer', 'content-type': 'application/octet-stream' }, body: prepare(destination, fields) })
      return IlpPacket.deserializeIlpPacket(Buffer.from(await answer.arrayBuffer()))
    }
    const paid = await pay('test.own.later.x')
    assert.strictEqual(paid.typeString, 'ilp_fulfill')
    assert.strictEqual(paid.data.data.toString(), 'later')
    assert.strictEqual(asked[0].callback, callbackUrl)
    assert.strictEqual(asked[0].auth, 'Bearer to-later')
    assert.strictEqual((await pay('test.own.later.silent', { expiresIn: 1500 })).data.code, 'R00')
    const text = await own.metrics()
    assert.strictEqual(metric(text, 'ilp_account_balance_units{account="later",asset="USD",scale="9"}'), 10)
    assert.strictEqual(metric(text, 'ilp_packets_in_flight'), 0)
    receiver.close()
    assert.strictEqual(await own.stop(), 0)
  })
  it('our connector dials a JavaScript BTP server, and again after it has gone', async () => {
    const port = await freePort()
    const listen = async () => {
      const server = new PluginBtp({ listener: { port, secret: 'peer-secret' } })
      server.registerDataHandler(receive)
      const ready = server.connect()
      return { server, ready }
    }
    let { server, ready } = await listen()
    const own = await startConnector(binary, {
      address: 'test.own',
      btp: { host: '127.0.0.1', port: 0 },
      http: { host: '127.0.0.1', port: 0 },
      accounts: [
        { id: 'payer', asset: usd, token: 'tok-payer' },
        { id: 'dialled', relation: 'peer', asset: usd, btp: { url: `btp+ws://:peer-secret@127.0.0.1:${port}` } }
      ],
      routes: [{ prefix: 'test.far', account: 'dialled' }]
    })
    await ready
    const post = async () => {
      const reply = await fetch(own.ilpUrl, { method: 'POST', headers: { authorization: 'Bearer tok-payer', 'content-type': 'application/octet-stream' }, body: prepare('test.far.x') })
      return IlpPacket.deserializeIlpPacket(Buffer.from(await reply.arrayBuffer())).typeString
    }
    const until = async wanted => {
      for (let i = 0; i < 200; ++i) {
        if (await post() === wanted) return
        await new Promise(resolve => setTimeout(resolve, 50))
      }
      assert.fail(`never ${wanted}`)
    }
    await until('ilp_fulfill')
    await server.disconnect()
    await until('ilp_reject');
    ({ server, ready } = await listen())
    await ready
    await until('ilp_fulfill')
    assert.strictEqual(await own.stop(), 0)
    await server.disconnect()
  })
  it('counters agree with what was sent', async () => {
    const text = await connector.metrics()
    assert.strictEqual(metric(text, 'ilp_packets_in_flight'), 0)
    assert.ok(metric(text, 'ilp_packets_total{account="alice",direction="in",result="fulfilled",code=""}') >= 4)
    const balance = account => metric(text, `ilp_account_balance_units{account="${account}",asset="USD",scale="9"}`)
    const all = ['alice', 'webalice', 'bob', 'webbob', 'away', 'gone'].reduce((sum, one) => sum + balance(one), 0)
    assert.strictEqual(all, 0)
  })
})
