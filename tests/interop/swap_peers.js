'use strict'
// So many JavaScript peers with packets to bob, who is one too, until SIGINT; what became of them on stdout:
//   swap_peers.js PORT PEERS RATE
// with accounts as tests/deploy/colours.py has them. A peer that is not connected sends when it is again, as an
// application does that listens to its plugin; what a plugin took and was not answered in time was on the wire, or
// (`closing` of them) was taken and dropped by a plugin that did not know yet that its socket was closing.
const crypto = require('crypto')
const IlpPacket = require('ilp-packet')
const PluginBtp = require('ilp-plugin-btp')

const [port, peers, rate] = process.argv.slice(2).map(Number)
const sha256 = bytes => crypto.createHash('sha256').update(bytes).digest()
const count = { sent: 0, fulfilled: 0, onTheWire: 0, closing: 0, codes: {} }
const latencies = []
let last = 0
let longestGap = 0

function connect (token) {
  const plugin = new PluginBtp({ server: `btp+ws://:${token}@127.0.0.1:${port}`, responseTimeout: 8000 })
  plugin.setMaxListeners(0)
  return plugin
}

function add (counts, what) {
  counts[what] = (counts[what] || 0) + 1
}

async function send (plugin) {
  const due = Date.now()
  const fulfillment = crypto.randomBytes(32)
  const packet = IlpPacket.serializeIlpPrepare({
    amount: '1', expiresAt: new Date(due + 7000), executionCondition: sha256(fulfillment), destination: 'test.slipway.bob', data: fulfillment
  })
  while (!plugin.isConnected()) await new Promise(resolve => plugin.once('connect', resolve))
  ++count.sent
  const open = plugin._ws._instance.readyState === 1
  try {
    const { typeString, data } = IlpPacket.deserializeIlpPacket(await plugin.sendData(packet))
    if (typeString !== 'ilp_fulfill') return add(count.codes, data.code)
    ++count.fulfilled
    const now = Date.now()
    latencies.push(now - due)
    longestGap = Math.max(longestGap, now - last)
    last = now
  } catch (error) {
    if (!error.message.endsWith('timed out')) throw error
    ++count.onTheWire
    if (!open) ++count.closing
  }
}

async function main () {
  const bob = connect('tok-bob')
  bob.registerDataHandler(async packet => {
    const { data } = IlpPacket.deserializeIlpPrepare(packet)
    return IlpPacket.serializeIlpFulfill({ fulfillment: data, data: Buffer.alloc(0) })
  })
  await bob.connect()
  const senders = []
  for (let n = 1; n <= peers; ++n) senders.push(connect(`tok-${n}`))
  for (let at = 0; at < peers; at += 50) await Promise.all(senders.slice(at, at + 50).map(plugin => plugin.connect()))
  console.log('connected')
  const began = last = Date.now()
  const pending = new Set()
  let number = 0
  const timer = setInterval(() => {
    for (; number < (Date.now() - began) * rate / 1000; ++number) {
      const sending = send(senders[number % peers]).then(() => pending.delete(sending))
      pending.add(sending)
    }
  }, 1)
  process.once('SIGINT', async () => {
    clearInterval(timer)
    await Promise.all(pending)
    latencies.sort((a, b) => a - b)
    const p999 = latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * 0.999))]
    process.stdout.write(JSON.stringify({ ...count, longestGap, p999 }) + '\n', () => process.exit())
  })
}

main()
