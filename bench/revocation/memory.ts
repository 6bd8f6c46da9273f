import { randomUUID } from 'node:crypto';
import type { AuthenticatedToken } from '@behalf/gateway/internal';
import { RevocationView } from '@behalf/revocation/internal';
import type { RevokedSubject } from '@behalf/revocation/internal';
import { interleave, medianOf, ratio } from '../harness/interleave.js';
import { printTable } from '../harness/table.js';

/**
 * Runs as a program of its own, so that no other memory is counted. Prints the cost of a view with 1,000,000 live revocations of
 * one kind: memory, time to add one, and time to look up a token, compared with a view of 1,000.
 */

const MANY = 1_000_000;
const FEW = 1_000;
const LOOK_UPS = 100_000;
const ROUNDS = 5;
const ISSUER = 'https://login.example';

interface Kind {
  readonly revoked: (id: string) => RevokedSubject;
  readonly token: (id: string) => AuthenticatedToken;
}

const nowSeconds = Math.floor(Date.now() / 1000);

/** What revocations name, with identifiers like the authority's. */
const KINDS: Readonly<Record<string, Kind>> = {
  consent: {
    revoked: (consentId) => ({ issuer: ISSUER, consentId }),
    token: (id) => token({ consentId: id }),
  },
  token: {
    revoked: (tokenId) => ({ issuer: ISSUER, tokenId }),
    token: (tokenId) => token({ tokenId }),
  },
  session: {
    revoked: (sessionId) => ({ issuer: ISSUER, sessionId }),
    token: (sessionId) => token({ sessionId }),
  },
  'subject and client': {
    revoked: (subject) => ({ issuer: ISSUER, subject, clientId: 'budget-app' }),
    token: (subject) => token({ subject }),
  },
};

interface Names {
  readonly consentId?: string;
  readonly sessionId?: string;
  readonly subject?: string;
  readonly tokenId?: string;
}

/** Gives everything that is not named an identifier of its own. */
function token({ consentId, sessionId, subject, tokenId }: Names): AuthenticatedToken {
  return {
    issuer: ISSUER,
    tokenId: tokenId ?? randomUUID(),
    sessionId: sessionId ?? randomUUID(),
    issuedAt: nowSeconds,
    expiresAt: nowSeconds + 300,
    confirmation: undefined,
    delegation: {
      subject: subject ?? randomUUID(),
      clientId: 'budget-app',
      scopes: new Set(['accounts:read']),
      policies: new Set(),
      roles: [],
      consent: { id: consentId ?? randomUUID(), version: 1, purposes: [], detail: 'full' },
    },
  };
}

function emptyView(): RevocationView {
  return new RevocationView({ issuers: [ISSUER], maxStalenessMs: 60_000, maxTokenLifetimeSeconds: 3_600 });
}

function fill(view: RevocationView, { revoked }: Kind, count: number): string[] {
  // Keep some, to look them up later.
  const kept: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = randomUUID();
    if (index % (count / FEW) === 0) kept.push(id);
    if (!view.revoke(revoked(id), nowSeconds)) throw new Error('the view is full');
  }
  return kept;
}

function memory(): { readonly heap: number; readonly rss: number } {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { heap: heapUsed + arrayBuffers, rss };
}

/** Half of the tokens are revoked, half not. */
function lookUp(view: RevocationView, { token: tokenOf }: Kind, revoked: readonly string[]) {
  const tokens = revoked.flatMap((id) => [tokenOf(id), tokenOf(randomUUID())]);
  return (times: number): void => {
    let dead = 0;
    for (let time = 0; time < times; time += 1) {
      const asked = tokens[time % tokens.length];
      if (asked !== undefined && view.isRevoked(asked)) dead += 1;
    }
    if (dead !== times / 2) throw new Error(`the view knows ${dead} of ${times / 2}`);
  };
}

const [name = ''] = process.argv.slice(2);
const kind = KINDS[name];
if (kind === undefined) throw new Error(`no such kind: ${name}; there are ${Object.keys(KINDS).join(', ')}`);
fill(emptyView(), kind, FEW);
const before = memory();
const many = emptyView();
const startedAt = performance.now();
const revoked = fill(many, kind, MANY);
const seconds = (performance.now() - startedAt) / 1_000;
const after = memory();
const few = emptyView();
const revokedFew = fill(few, kind, FEW);
const [ofMany, ofFew] = await interleave(
  [
    { name: 'many', run: lookUp(many, kind, revoked) },
    { name: 'few', run: lookUp(few, kind, revokedFew) },
  ],
  { rounds: ROUNDS, times: LOOK_UPS },
);
if (ofMany === undefined || ofFew === undefined) throw new Error('two were measured');
const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
console.log(`\n${many.size.toLocaleString('en')} live revocations, by ${name}:`);
printTable(
  [
    'heap MiB',
    'RSS MiB',
    'bytes each',
    'µs to put in',
    'ns to look up',
    `ratio to ${FEW.toLocaleString('en')}`,
  ],
  [
    [
      megabytes(after.heap - before.heap),
      megabytes(after.rss - before.rss),
      ((after.heap - before.heap) / MANY).toFixed(0),
      ((seconds * 1e6) / MANY).toFixed(2),
      (medianOf(ofMany.rounds) * 1_000).toFixed(0),
      ratio(ofMany, ofFew).toFixed(2),
    ],
  ],
);
