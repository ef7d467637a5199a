/** Attacks on a gRPC server: what it does about each, what that costs it, and that others are served meanwhile. */
import test from 'ava'
import { assault, type Attack, type Outcome, type Report } from './assault.js'

interface Expected extends Attack {
  readonly title: string
  /** What has to have come of it. */
  readonly wanted: (outcome: Outcome, report: Report) => boolean
  /** Most that the server's memory may grow by, in MiB. */
  readonly growth: number
}

/** The server has ended the connection, and said why; where its socket was closed with frames unread, that may be lost. */
const calmed = ({ goaway, ended, closed: how }: Outcome) =>
  ended !== undefined && (goaway === 'ENHANCE_YOUR_CALM' || how === 'reset')
const refused = (status: string) => (outcome: Outcome) => (outcome.statuses?.[status] ?? 0) > 0
const closed = ({ connections, endedByServer }: Outcome) => connections !== undefined && connections === endedByServer

/** Of connections that are read by nobody their peer never sees the end. */
const timedOut = ({ connections }: Outcome, { said }: Report) => said.includes(`slow readers: ${connections}`)

const isOnThreads = (process.env.VOLO_RUNTIME ?? 'inline') !== 'inline'

/** What handlers send ahead is there twice where I/O threads write it: as it crosses to them, and as it waits there. */
const copies = isOnThreads ? 2 : 1

/** How long others call: what all of it costs them is asked of one runtime only. */
const time = (seconds = 2): number => (isOnThreads ? seconds / 2 : seconds)

const attacks: readonly Expected[] = [
  { name: 'rapid-reset', title: 'streams that are opened and reset at once', wanted: calmed, growth: 16 },
  { name: 'continuation-flood', title: 'headers without end', wanted: calmed, growth: 16 },
  { name: 'empty-continuation-flood', title: 'empty CONTINUATION frames', wanted: calmed, growth: 16 },
  { name: 'ping-flood', title: 'PING frames', wanted: calmed, growth: 16 },
  { name: 'settings-flood', title: 'SETTINGS frames', wanted: calmed, growth: 16 },
  { name: 'empty-data-flood', title: 'empty DATA frames', wanted: calmed, growth: 16 },
  {
    name: 'unread-ping-flood',
    title: 'PING frames whose answers nobody reads',
    wanted: ({ ended }) => ended !== undefined,
    growth: 16,
  },
  {
    name: 'unread-settings-flood',
    title: 'SETTINGS frames whose answers nobody reads',
    wanted: ({ ended }) => ended !== undefined,
    growth: 16,
  },
  {
    name: 'hpack-bomb',
    title: 'headers of 16 KiB that stand for 56 MiB',
    wanted: ({ goaway, statuses }) => goaway !== null || statuses !== undefined,
    growth: 24,
  },
  {
    name: 'compression-bomb',
    title: '64 MiB in 64 KiB of gzip',
    wanted: refused('grpc-status 8'),
    growth: 64,
    seconds: 4,
  },
  { name: 'large-message', title: 'a message of 100 MiB', wanted: refused('grpc-status 8'), growth: 24 },
  {
    name: 'announced-message',
    title: 'messages of 4 GiB that never come',
    wanted: refused('grpc-status 8'),
    growth: 24,
  },
  {
    name: 'slow-reader',
    title: 'peers that ask for streams and do not read',
    method: 'StreamItems',
    wanted: timedOut,
    growth: 192,
    seconds: 4,
  },
  {
    name: 'late-reader',
    title: 'a peer that reads late gets everything',
    method: 'StreamItems',
    // More than all buffers between the two can hold.
    wanted: ({ body }) => (body ?? 0) > 32 << 20,
    growth: 192,
    seconds: 4,
  },
  {
    name: 'slow-window',
    title: 'peers that open no window for their streams',
    method: 'StreamItems',
    wanted: ({ connections }) => connections !== undefined,
    growth: 96 * copies,
    limit: 2,
  },
  { name: 'slow-writer', title: 'messages that come byte by byte', wanted: closed, growth: 16, seconds: 4 },
  { name: 'half-preface', title: 'connections that never say what they want', wanted: closed, growth: 16, seconds: 4 },
]

for (const { title, wanted, growth, seconds, ...attack } of attacks) {
  // One after the other: they are about what a server can bear.
  test.serial(title, async (t) => {
    const report = await assault({ ...attack, seconds: time(seconds) })
    const { outcome, said, ...figures } = report
    t.log(JSON.stringify({ ...figures, ...outcome }))
    t.true(wanted(outcome, report), `${JSON.stringify(outcome)}\n${said}`)
    t.true(report.answered > 0)
    t.true(report.growth <= growth, `memory grew by ${report.growth.toFixed(1)} MiB`)
  })
}
