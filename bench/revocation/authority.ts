import { RuleTable } from '@behalf/directives/internal';
import { parse } from 'graphql';
import { startAuthority } from '@behalf/authority';
import { checkPolicy, vocabularyOf } from '@behalf/policy';
import { runAsChild } from '../harness/child.js';
import { AUDIENCE } from './names.js';

// The authority in a process of its own.
await runAsChild(async () => {
  const { BENCH_DATABASE = '', BENCH_ENCRYPTION_KEY = '', BENCH_SECRET = '' } = process.env;
  const { BENCH_POLICY = '', BENCH_SUPERGRAPH = '' } = process.env;
  const authority = await startAuthority({
    port: 0,
    databaseUrl: BENCH_DATABASE,
    encryptionKey: Buffer.from(BENCH_ENCRYPTION_KEY, 'base64url'),
    audience: AUDIENCE,
    policy: checkPolicy(JSON.parse(BENCH_POLICY)),
    vocabulary: vocabularyOf(new RuleTable(parse(BENCH_SUPERGRAPH), { coverage: 'required' })),
    streamSecret: BENCH_SECRET,
  });
  return { url: authority.url, close: () => authority.close() };
});
