import {
  ACCESS_DECISIONS,
  createTxnTokenReader,
  readActorClaim,
  readConsentClaim,
  SERVICE_SUBJECT_PREFIX,
} from '@behalf/directives/internal';
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { expect, it } from 'vitest';
import { readAccount } from '../../gateway/propagate/facts.js';
import { compileSchemas } from '../support/json-schemas.js';
import { RUNS } from './runs.js';

// The published schemas and the code that reads the claims agree: each accepts what the other accepts.

const SEED = Number(process.env.BEHALF_PROPERTY_SEED ?? 20_261_128);
const schema = await compileSchemas();

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const JUNK: readonly Json[] = [
  null,
  true,
  false,
  '',
  ' ',
  'full',
  0,
  1,
  2,
  1.5,
  [],
  [''],
  [1],
  {},
  { sub: 'a' },
];

/** A change of a document at its n-th place: replaced, removed, or extended. */
const change = fc.record({ at: fc.nat(60), to: fc.constantFrom<(Json | undefined)[]>(...JUNK, undefined) });

/** Valid documents, and documents with one or two changes. */
function around<T>(fitting: Arbitrary<T>): Arbitrary<Json> {
  return fc.tuple(fitting, fc.array(change, { maxLength: 2 })).map(([document, changes]) => {
    let changed = JSON.parse(JSON.stringify(document)) as Json;
    for (const { at, to } of changes) changed = changeAt(changed, { at, to: structuredClone(to) });
    return changed;
  });
}

function changeAt(document: Json, { at, to }: { at: number; to: Json | undefined }): Json {
  const places: (() => Json)[] = [() => to ?? null];
  const visit = (node: Json): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const name of [...Object.keys(node), 'further']) {
      const holder = node as Record<string, Json>;
      places.push(() => {
        if (Array.isArray(node)) node.splice(Number(name) || 0, 1, ...(to === undefined ? [] : [to]));
        else if (to === undefined) Reflect.deleteProperty(holder, name);
        else holder[name] = to;
        return document;
      });
      visit(holder[name] ?? null);
    }
  };
  visit(document);
  return places[at % places.length]?.() ?? null;
}

const name = fc.constantFrom('a', 'budget-app', 'x y');
const names = fc.array(fc.constantFrom('a', 'b', ''), { maxLength: 2 });
const consent = fc.record(
  {
    id: name,
    version: fc.integer(),
    purposes: names,
    detail: fc.constantFrom('full', 'minimal'),
    until: fc.constantFrom(0, -1, 1.5, 1_798_761_600),
  },
  { requiredKeys: ['id', 'version', 'purposes', 'detail'] },
);
const { act } = fc.letrec((tie) => ({
  // Not deeper than actors may nest, which the schema cannot express.
  act: fc.oneof({ maxDepth: 3 }, fc.record({ sub: name }), fc.record({ sub: name, act: tie('act') })),
}));

it('readConsentClaim accepts what the consent schema accepts', () => {
  fc.assert(
    fc.property(around(consent), (claim) => {
      expect(readConsentClaim(claim) !== undefined).toBe(schema('consent')(claim));
    }),
    { numRuns: 2_000 * RUNS, seed: SEED },
  );
});

it('readActorClaim accepts what the schema of `act` accepts', () => {
  fc.assert(
    fc.property(around(act), (claim) => {
      expect(readActorClaim(claim) !== undefined).toBe(schema('txn-token#act')(claim));
    }),
    { numRuns: 1_000 * RUNS, seed: SEED },
  );
});

it('a subgraph accepts a transaction token payload that its schema accepts', async () => {
  const pair = await generateKeyPair('EdDSA');
  const keys = [{ ...(await exportJWK(pair.publicKey)), alg: 'EdDSA', kid: 'k' }];
  const read = createTxnTokenReader('accounts', { issuer: 'https://gateway.example', keys });
  const iat = Math.floor(Date.now() / 1000);
  const known = { iss: 'https://gateway.example', aud: 'accounts', iat, exp: iat + 15 };
  const common = fc.record({
    ...{ txn: name, scope: fc.constantFrom('', 'a b', ' a'), req_wl: name },
    rctx: fc.record({ client_id: name, act }, { requiredKeys: ['client_id'] }),
  });
  const bound = fc.constantFrom({}, { jti: 'j' }, { jti: 'j', bind: { body: 'hash' } });
  const context = fc.record({ policies: names, roles: names }, { requiredKeys: [] });
  const caller = fc.oneof(
    fc.record({ sub: name, tctx: context }),
    fc.record({
      sub: name,
      tctx: fc.tuple(context, consent).map(([more, agreed]) => ({ ...more, consent: agreed })),
    }),
    fc.record({
      sub: fc.constant(`${SERVICE_SUBJECT_PREFIX}batch`),
      tctx: context.map((more) => ({ ...more, service: true as const })),
    }),
  );
  const payload = around(
    fc
      .tuple(common, bound, caller)
      .map((parts) => Object.assign({ ...known }, ...parts) as Record<string, Json>),
  );
  const results = { accepted: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(payload, async (claims) => {
      // Another issuer, audience or time fits the schema, but not this subgraph.
      fc.pre(!isAnothers(claims, known));
      const token = await new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt', kid: 'k' })
        .sign(pair.privateKey);
      const { verified } = await read(token);
      results[verified === undefined ? 'refused' : 'accepted'] += 1;
      expect(verified !== undefined).toBe(schema('txn-token')(claims));
    }),
    { numRuns: 1_500 * RUNS, seed: SEED },
  );
  // Otherwise the property means little.
  expect(Math.min(results.accepted, results.refused)).toBeGreaterThan(300 * RUNS);
});

/** Whether a claim has the right type but another value. */
function isAnothers(claims: Json, known: Readonly<Record<string, string | number>>): boolean {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return false;
  return Object.entries(known).some(
    ([claim, value]) => typeof claims[claim] === typeof value && claims[claim] !== value,
  );
}

it('the gateway accepts facts that the schema accepts, at known coordinates', () => {
  const coordinates = ['Query.accounts', 'Account.iban', '_T1._f'];
  const fields = new Map(coordinates.map((coordinate) => [coordinate, { isOwned: false }]));
  const entry = fc.tuple(
    fc.constantFrom(...coordinates),
    fc.constantFrom(...ACCESS_DECISIONS),
    fc.constantFrom(1, 7, 10_000_000, 10_000_001),
    fc.constant(null),
    fc.constant(null),
  );
  const facts = fc.record({ v: fc.constant(1), fields: fc.array(entry, { maxLength: 3 }) });
  fc.assert(
    fc.property(around(facts), (value) => {
      const isValid = schema('facts')(value);
      const account = readAccount(value, fields, undefined);
      const isRead = account?.dropped === 0;
      if (isValid) expect(isRead).toBe(true);
      // The gateway uses its own strategy and rule, not the subgraph's.
      else expect(isRead && !onlyUnreadIsWrong(schema('facts').errors ?? [])).toBe(false);
    }),
    { numRuns: 2_000 * RUNS, seed: SEED },
  );
});

function onlyUnreadIsWrong(
  errors: readonly { readonly instancePath: string; readonly keyword: string }[],
): boolean {
  return errors.every(
    ({ instancePath, keyword }) => /^\/fields\/\d+\/[34]$/.test(instancePath) || keyword === 'minItems',
  );
}
