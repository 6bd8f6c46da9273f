import { readFile } from 'node:fs/promises';
import { parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { buildConsentSchema } from '../../subgraphs/consent/schema.js';
import { projectPath } from '@behalf/example/internal';

const text = await readFile(projectPath('docs/how-to/revocation.md'), 'utf8');
const operations = [...text.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, operation = '']) => operation);
const schema = buildConsentSchema({
  gateway: { issuer: 'https://gateway.test', jwksUri: 'https://gateway.example/jwks' },
});

it.each(operations)('docs/how-to/revocation.md: %s', (operation) => {
  expect(validate(schema, parse(operation))).toEqual([]);
});

it('docs/how-to/revocation.md shows every mutation that revokes, suspends or resumes', () => {
  const shown = operations.join('\n');
  const names = Object.keys(schema.getMutationType()?.getFields() ?? {}).filter((name) =>
    /^(revoke|suspend|resume|emergencyStop|liftEmergencyStop)/.test(name),
  );
  expect(names).toHaveLength(9);
  for (const name of names) expect(shown).toContain(`${name}(`);
});
