import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { projectPath } from '@behalf/example/internal';
import { interleave, ratio, spread } from '../harness/interleave.js';
import { printTable } from '../harness/table.js';
import { FIELDS, ROWS } from '../subgraph/contenders.js';
import type { RecordingContender } from './recording-child.js';

const ROUNDS = 7;
const TIMES = 6;
const CONTENDERS: Readonly<Record<RecordingContender, string>> = {
  bare: 'graphql-js, nothing recorded',
  behalf: 'behalf: protected, and each access recorded',
  opentelemetry: 'OpenTelemetry’s GraphQL instrumentation: a span for each field',
};

/** What recording costs per field of a subgraph. Each contender has a process of its own: the instrumentation patches graphql. */
export async function benchRecording(): Promise<void> {
  const children = await Promise.all(Object.keys(CONTENDERS).map(start));
  try {
    const names = Object.values(CONTENDERS);
    const timings = await interleave(
      children.map((child, at) => ({ name: names[at] ?? '', run: (times) => work(child, times) })),
      { rounds: ROUNDS, times: TIMES },
    );
    const [bare] = timings;
    if (bare === undefined) throw new Error('a contender is missing');
    const nanoseconds = (microseconds: number): number => (microseconds * 1_000) / (ROWS * FIELDS);
    console.log(`\nRecording: ${ROWS} objects × ${FIELDS} fields, ns for each field`);
    printTable(
      ['contender', 'ns per field', 'ratio to bare'],
      timings.map((timing) => [
        timing.name,
        spread(timing.rounds.map(nanoseconds), 0),
        ratio(timing, bare).toFixed(2),
      ]),
    );
  } finally {
    for (const child of children) child.kill();
  }
}

async function start(contender: string): Promise<ChildProcess> {
  const child = fork(projectPath('bench/dist/audit/recording-child.js'), [contender], {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', () => reject(new Error(`${contender} did not start`)));
  });
  return child;
}

async function work(child: ChildProcess, times: number): Promise<void> {
  await new Promise((resolve) => {
    child.once('message', resolve);
    child.send(times);
  });
}
