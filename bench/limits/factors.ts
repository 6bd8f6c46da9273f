import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { buildASTSchema, Kind, parse, printSchema } from 'graphql';
import type { DocumentNode } from 'graphql';
import { composeSupergraph } from '@behalf/gateway/tools';
import {
  analyzeOperation,
  Conditions,
  filterOperation,
  readSupergraph,
  introspectableDocument,
  visibleSchema,
  BYTES_PER_CHARACTER,
} from '@behalf/gateway/internal';
import { BENCH_SUBGRAPHS, protectedSdl } from '../gateway/schemas.js';
import { printTable } from '../harness/table.js';

const ENTRIES = 200;
const MEASURED_CHARACTERS = 4_000_000;

/** Documents that are dense in different ways: which is largest depends on what a cache keeps of it. */
const TEXTS: Readonly<Record<string, string>> = {
  'short names': `{me{${'id '.repeat(400)}}}`,
  'short aliases': `{me{${Array.from({ length: 400 }, (_, i) => `a${i}:id`).join(' ')}}}`,
  'short aliases of denied fields': `{me{id ${Array.from({ length: 400 }, (_, i) => `a${i}:name`).join(' ')}}}`,
  'brackets around denied fields': `{me{${'...{id email}'.repeat(200)}}}`,
  brackets: `{me{${'...{id}'.repeat(200)}}}`,
  comments: `{me{id}}${'#\n'.repeat(500)}`,
  'an ordinary operation': `query Medium { me { id name email phone birthDate taxId address { street postalCode city country }
    accounts { id iban balance currency product payments(first: 1) { edges { node { id amount currency } } } } } }`,
};

/** A cache that estimates too little would exceed its bound: then the benchmark fails. */
function checkFactor(what: string, measured: number, reckoned: number): void {
  if (measured <= reckoned) return;
  console.log(
    `TOO LITTLE: ${what} keeps ${measured.toFixed(1)} bytes per character, the estimate is ${reckoned}`,
  );
  process.exitCode = 1;
}

/** Measured bytes per character, beside the factors that the caches estimate with. */
export function benchFactors(): void {
  const sdl = composeSupergraph(
    BENCH_SUBGRAPHS.map((name) => ({ name, url: `http://${name}.bench`, sdl: protectedSdl(name) })),
  );
  const { schema, rules, joinNames, filterInputs, executableSdl } = readSupergraph(sdl, 'open');
  const supergraph = Supergraph.build(executableSdl);
  const planner = new QueryPlanner(supergraph);
  const apiSchema = supergraph.apiSchema();
  const rows = Object.entries(TEXTS).map(([name, text]) => {
    const clientOf = (document: DocumentNode) => {
      const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
      if (operation === undefined) throw new Error('no operation');
      return { document, operation, queryHash: name };
    };
    const document = retained(text.length, () => parse(fresh(text)));
    const analyses = made(() => parse(fresh(text))).map(clientOf);
    const analysis = retained(text.length, (index) =>
      analyzeOperation(at(analyses, index), schema, rules, joinNames, filterInputs),
    );
    const analyzed = analyses.map((client) =>
      analyzeOperation(client, schema, rules, joinNames, filterInputs),
    );
    const decision = retained(text.length, (index) => {
      const each = at(analyzed, index);
      return filterOperation(each, (requirement) => requirement % 2 === 0, new Conditions(each, {}));
    });
    const json = JSON.stringify(planner.buildQueryPlan(operationFromDocument(apiSchema, parse(text))));
    // Plans can be short: a few hundred would be lost in the noise.
    const plans = Math.max(ENTRIES, Math.ceil(MEASURED_CHARACTERS / json.length));
    const plan = retained(json.length, () => JSON.parse(json) as unknown, plans);
    for (const [kind, bytes] of Object.entries({ document, analysis, decision, plan }))
      checkFactor(`${name}, ${kind}`, bytes, BYTES_PER_CHARACTER[kind as keyof typeof BYTES_PER_CHARACTER]);
    return [
      name,
      String(text.length),
      ...[document, analysis, decision, plan].map((bytes) => bytes.toFixed(1)),
    ];
  });
  const { document, analysis, decision, plan } = BYTES_PER_CHARACTER;
  rows.push(['reckoned with', '', ...[document, analysis, decision, plan].map(String)]);
  console.log('\nBytes kept for each character');
  printTable(['text', 'characters', 'document', 'analysis', 'decision', 'plan'], rows);
  benchSchema(buildASTSchema(parse(printSchema(apiSchema.toGraphQLJSSchema()))));
}

function benchSchema(schema: ReturnType<typeof buildASTSchema>): void {
  const text = introspectableDocument(schema);
  const { length } = printSchema(schema);
  const visible = (): unknown => {
    const made = visibleSchema(text, () => true);
    // GraphQL builds a type's fields when they are first read.
    if (made !== undefined) printSchema(made);
    return made;
  };
  const bytes = retained(length, visible, 20);
  checkFactor('a visible schema', bytes, BYTES_PER_CHARACTER.schema);
  console.log(
    `a visible schema of ${length} characters: ${bytes.toFixed(1)} each, estimated as ${BYTES_PER_CHARACTER.schema}`,
  );
}

/** Copies the string, so that memory kept with it is counted. */
function fresh(text: string): string {
  return Buffer.from(text).toString();
}

function made<Made>(make: (index: number) => Made, entries = ENTRIES): Made[] {
  return Array.from({ length: entries }, (_, index) => make(index));
}

function retained(characters: number, make: (index: number) => unknown, entries = ENTRIES): number {
  make(0);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const kept = made(make, entries);
  globalThis.gc?.();
  const after = process.memoryUsage().heapUsed;
  return (after - before) / kept.length / characters;
}

function at<Entry>(entries: readonly Entry[], index: number): Entry {
  const entry = entries[index];
  if (entry === undefined) throw new Error('no such entry');
  return entry;
}
