// kafkajs: its codecs, a group and its resume, look-ups by time, transactions, admin requests.
'use strict'

const assert = require('node:assert')
const { randomUUID } = require('node:crypto')
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')

const CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy }
const EACH = 200
const ALL = EACH * Object.keys(CODECS).length
const BEGAN = Date.now() - 3600000

const kafka = new Kafka({ clientId: 'script', brokers: [process.argv[2]], logLevel: logLevel.NOTHING })
const report = { client: 'kafkajs', version: require('kafkajs/package.json').version }
const admin = kafka.admin()

const fresh = (kind) => `clients.${kind}-${randomUUID()}`
const topic = fresh('kafkajs')
const target = fresh('kafkajs')

// Note a fact; end with it where something else was wanted.
function saw(fact, seen, wanted) {
  assert.deepStrictEqual(seen, wanted, `${fact}: saw ${JSON.stringify(seen)}, wanted ${JSON.stringify(wanted)}`)
  report[fact] = seen
}

const event = (number) => ({
  key: `key-${number % 10}`,
  value: `event ${number} `.repeat(20),
  headers: { number: `${number}` },
  timestamp: `${BEGAN + number}`,
})
const events = (begin, end) => Array.from({ length: end - begin }, (_, index) => event(begin + index))
const numberOf = (message) => Number(message.headers.number)
const numbers = (messages) => messages.map(numberOf).sort((a, b) => a - b)
const range = (begin, end) => Array.from({ length: end - begin }, (_, index) => begin + index)

// What came back, in the shape in which it was sent.
const sent = ({ key, value, headers, timestamp }) => ({
  key: key.toString(),
  value: value.toString(),
  headers: { number: headers.number.toString() },
  timestamp,
})

// Read in a group until `count` events came and no more of them for a while; answers them and where they were.
async function read(topic, count, { groupId = fresh('group'), commit = false, ...config } = {}) {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, ...config })
  const found = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await new Promise((resolve, reject) => {
    let idle = setTimeout(resolve, 15000)
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    consumer
      .run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          if (commit && found.length === count) return
          found.push({ partition, ...message })
          clearTimeout(idle)
          idle = setTimeout(resolve, found.length < count ? 15000 : 500)
        },
      })
      .catch(reject)
  })
  if (commit) await consumer.commitOffsets(positions(found))
  await consumer.disconnect()
  return found
}

// The next offset of each partition.
function positions(found) {
  const next = {}
  for (const { partition, offset } of found) next[partition] = Math.max(next[partition] ?? 0, Number(offset) + 1)
  return Object.entries(next).map(([partition, offset]) => ({ topic, partition: Number(partition), offset: `${offset}` }))
}

async function codecs() {
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  for (const [index, compression] of Object.values(CODECS).entries()) {
    await producer.send({ topic, compression, acks: -1, messages: events(index * EACH, (index + 1) * EACH) })
  }
  await producer.disconnect()
  const found = (await read(topic, ALL)).sort((a, b) => numberOf(a) - numberOf(b)).map(sent)
  const whole = Object.keys(CODECS).filter((_, index) => {
    const [begin, end] = [index * EACH, (index + 1) * EACH]
    return JSON.stringify(found.slice(begin, end)) === JSON.stringify(events(begin, end))
  })
  saw('codecs', whole, Object.keys(CODECS))
}

async function groups() {
  const groupId = fresh('group')
  const first = await read(topic, 150, { groupId, commit: true })
  const committed = await admin.fetchOffsets({ groupId, topics: [topic] })
  const sum = committed[0].partitions.reduce((total, { offset }) => total + Math.max(Number(offset), 0), 0)
  saw('committed', sum, 150)
  const rest = await read(topic, ALL - 150, { groupId })
  assert.deepStrictEqual(numbers([...first, ...rest]), range(0, ALL))
  saw('read once across a resume', first.length + rest.length, ALL)
  const { groups: described } = await admin.describeGroups([groupId])
  saw('group without members', [described[0].state, described[0].members.length], ['Empty', 0])
  const listed = (await admin.listGroups()).groups.map((group) => group.groupId)
  saw('group listed', listed.includes(groupId), true)
  await admin.deleteGroups([groupId])
  const left = (await admin.listGroups()).groups.map((group) => group.groupId)
  saw('group left', left.includes(groupId), false)
}

async function times(found) {
  const places = await admin.fetchTopicOffsetsByTimestamp(topic, BEGAN + 120)
  const wanted = [0, 1].map((partition) => {
    const later = found.filter((message) => message.partition === partition && numberOf(message) >= 120)
    return Math.min(...later.map(({ offset }) => Number(offset)))
  })
  const seen = places.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset))
  saw('found by time', JSON.stringify(seen) === JSON.stringify(wanted), true)
  const ends = await admin.fetchTopicOffsets(topic)
  saw('watermarks', [...ends.map(({ low }) => Number(low)), ends.reduce((sum, { high }) => sum + Number(high), 0)], [0, 0, ALL])
}

async function transactions(found) {
  const groupId = fresh('group')
  const producer = kafka.producer({ transactionalId: fresh('transaction'), idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (const [begin, end] of [[0, 100], [100, 200]]) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: target, messages: events(begin, end) })
    const partitions = positions(found.slice(0, end)).map(({ partition, offset }) => ({ partition, offset }))
    await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions }] })
    await (begin === 0 ? transaction.commit() : transaction.abort())
  }
  await producer.disconnect()
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
  const sum = partitions.reduce((total, { offset }) => total + Math.max(Number(offset), 0), 0)
  saw('offsets of a transaction', sum, 100)
  saw('read committed', (await read(target, 100)).length, 100)
  saw('read uncommitted', (await read(target, 200, { readUncommitted: true })).length, 200)
}

async function topics() {
  const configEntries = [{ name: 'retention.ms', value: '7200000' }]
  const made = { topics: [{ topic, numPartitions: 1, configEntries }, { topic: target, numPartitions: 1 }] }
  saw('made, made twice', [await admin.createTopics(made), await admin.createTopics(made)], [true, false])
  await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })
  await settled('partitions', async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length, 2)
  const setting = async () => {
    const { resources } = await admin.describeConfigs({ resources: [{ type: 2, name: topic }] })
    return resources[0].configEntries.find(({ configName }) => configName === 'retention.ms').configValue
  }
  saw('setting as made', await setting(), '7200000')
  const changed = [{ name: 'retention.ms', value: '10800000' }]
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries: changed }] })
  await settled('setting changed', setting, '10800000')
  const { brokers, controller } = await admin.describeCluster()
  saw('nodes', [controller, ...brokers.map(({ nodeId }) => nodeId)], [1, 1])
}

// Kafka's nodes hear of a change a bit later.
async function settled(fact, look, wanted) {
  const deadline = Date.now() + 10000
  while ((await look()) !== wanted && Date.now() < deadline) await new Promise((wake) => setTimeout(wake, 50))
  saw(fact, await look(), wanted)
}

async function deletions() {
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] })
  const ends = await admin.fetchTopicOffsets(topic)
  saw('low watermark', ends.find(({ partition }) => partition === 0).low, '7')
  await admin.deleteTopics({ topics: [topic, target] })
  await settled('topics left', async () => (await admin.listTopics()).filter((name) => [topic, target].includes(name)).length, 0)
}

async function main() {
  await admin.connect()
  await topics()
  await codecs()
  const found = await read(topic, ALL)
  await groups()
  await times(found)
  await transactions(found)
  await deletions()
  await admin.disconnect()
  console.log(JSON.stringify(report))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
