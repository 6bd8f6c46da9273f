import { createRequire } from 'node:module';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type * as instrumentation from '@opentelemetry/instrumentation-graphql';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type * as graphql from 'graphql';
import type * as contenders from '../subgraph/contenders.js';

export type RecordingContender = 'bare' | 'behalf' | 'opentelemetry';

/** Takes spans and sends them nowhere: what is measured is making them. */
const NOWHERE: SpanProcessor = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

const [contender] = process.argv.slice(2) as [RecordingContender];
const run = await prepare(contender);
process.on('message', (times: number) => {
  void (async () => {
    for (let time = 0; time < times; time += 1) await run();
    process.send?.('done');
  })();
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function prepare(name: RecordingContender): Promise<() => Promise<unknown>> {
  if (name === 'opentelemetry') return instrumented();
  const { fieldContenders }: typeof contenders = await import('../subgraph/contenders.js');
  const [bare, behalf] = await fieldContenders();
  const chosen = name === 'bare' ? bare : behalf;
  if (chosen === undefined) throw new Error('the contender is missing');
  return () => chosen.execute(true);
}

/** The instrumentation patches graphql when it is first required, so nothing may have loaded it before. */
async function instrumented(): Promise<() => Promise<unknown>> {
  const provider = new BasicTracerProvider({ spanProcessors: [NOWHERE] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  const require = createRequire(import.meta.url);
  const { GraphQLInstrumentation } =
    require('@opentelemetry/instrumentation-graphql') as typeof instrumentation;
  const patching = new GraphQLInstrumentation();
  patching.setTracerProvider(provider);
  patching.enable();
  const { buildSchema, execute, parse } = require('graphql') as typeof graphql;
  const { FIELDS, ROWS } = { FIELDS: 10, ROWS: 1_000 };
  const names = Array.from({ length: FIELDS }, (_, index) => `f${index}`);
  const rows = Array.from({ length: ROWS }, (_, row) =>
    Object.fromEntries(names.map((name) => [name, `${name} of ${row}`])),
  );
  const schema = buildSchema(
    `type Query { rows: [Row!]! } type Row { ${names.map((name) => `${name}: String`).join(' ')} }`,
  );
  const document = parse(`{ rows { ${names.join(' ')} } }`);
  return async () => execute({ schema, document, rootValue: { rows } });
}
