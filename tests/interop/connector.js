'use strict'
// Runs our connector as a process of its own on free ports, for the tests beside this file.
const { spawn } = require('child_process')
const readline = require('readline')

// Resolves once it listens; `errors` gathers its log.
async function startConnector (binary, config) {
  const child = spawn(binary, ['run'], {
    env: { ...process.env, CONNECTOR_LEDGER: 'none', CONNECTOR_CONFIG_JSON: JSON.stringify(config) },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const errors = []
  readline.createInterface({ input: child.stderr }).on('line', line => errors.push(line))
  const line = await new Promise((resolve, reject) => {
    readline.createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', code => reject(new Error(`connector exited with ${code}: ${errors}`)))
  })
  const listening = JSON.parse(line)
  return {
    ...listening,
    errors,
    btpUrl: token => `btp+ws://:${token}@127.0.0.1:${listening.btpPort}`,
    ilpUrl: `http://127.0.0.1:${listening.btpPort}/ilp`,
    metrics: async () => (await fetch(`http://127.0.0.1:${listening.httpPort}/metrics`)).text(),
    signal: name => child.kill(name),
    stop: async () => {
      if (child.exitCode !== null) return child.exitCode
      const exited = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      return exited
    }
  }
}

// The value of one series, 0 when it is not there.
function metric (text, series) {
  const line = text.split('\n').find(one => one.startsWith(series + ' '))
  return line ? Number(line.slice(series.length + 1)) : 0
}

module.exports = { startConnector, metric }
