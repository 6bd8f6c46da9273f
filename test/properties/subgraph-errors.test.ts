import { isMet } from '@behalf/directives/internal';
import fc from 'fast-check';
import { parse, visit } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { asked, casesOf, told } from './federation/cases.js';
import type { Case } from './federation/cases.js';
import { markersIn, reporting } from './federation/reported.js';
import { Worlds } from './federation/world.js';
import type { World } from './federation/world.js';
import { RUNS } from './runs.js';

const SEED = Number(process.env.BEHALF_PROPERTY_SEED ?? 20_261_128);
const FEDERATIONS = Math.ceil(12 * Math.sqrt(RUNS));

const worlds: World[] = [];
const cases = casesOf(worlds);

beforeAll(async () => {
  const drawn = new Worlds();
  for (let index = 0; worlds.length < FEDERATIONS; index += 1) {
    const world = await drawn.make(SEED + index);
    if (world !== undefined) worlds.push(world);
  }
}, 600_000);

/** Each step follows the data, until the path ends or meets a null. */
function leadsAlong({ data }: ExecutionResult, path: readonly (string | number)[]): boolean {
  let at: unknown = data;
  for (const step of path) {
    if (at === null) return true;
    if (typeof at !== 'object' || !Object.hasOwn(at, step)) return false;
    at = (at as Record<string | number, unknown>)[step];
  }
  return true;
}

/** Whether the client's operation selects this field under the path's last key. */
function isSelected({ source }: Case, path: readonly (string | number)[], field: string): boolean {
  const key = path.findLast((step) => typeof step === 'string');
  let isThere = false;
  visit(parse(source), {
    Field({ name, alias }) {
      isThere ||= name.value === field && (alias ?? name).value === key;
    },
  });
  return isThere;
}

describe('for any federation whose subgraphs report errors anywhere', { timeout: 600_000 }, () => {
  it('an error quotes only what its client selected, may read, and requested at a root', async () => {
    const seen = { reported: 0, quoted: 0, redacted: 0, denied: 0 };
    await fc.assert(
      fc.asyncProperty(cases, fc.infiniteStream(fc.boolean()), async (asking, choices) => {
        const { world, caller } = asking;
        const reports = (): boolean => {
          const isReported = choices.next().value === true;
          if (isReported) seen.reported += 1;
          return isReported;
        };
        const { result } = await asked(asking, reporting(world, reports));
        for (const { message, path, extensions } of result.errors ?? []) {
          const context = `${told(asking)}${JSON.stringify({ message, path, extensions })}`;
          if (path !== undefined) expect(leadsAlong(result, path), context).toBe(true);
          expect(markersIn(JSON.stringify([path, extensions])), context).toEqual([]);
          if (extensions.coordinate !== undefined) seen.denied += 1;
          const markers = markersIn(message);
          if (markers.length === 0) seen.redacted += 1;
          for (const { type, field, isOfRoot } of markers) {
            seen.quoted += 1;
            expect(extensions.code, context).toBe('BAD_USER_INPUT');
            expect(isOfRoot, context).toBe(true);
            expect(isMet(world.rules.requirementOf(type, field), caller), context).toBe(true);
            expect(isSelected(asking, path ?? [], field), context).toBe(true);
          }
        }
      }),
      { numRuns: 400 * RUNS, seed: SEED },
    );
    // Operations without errors would show little.
    for (const [kind, times] of Object.entries(seen)) expect(times, kind).toBeGreaterThan(50 * RUNS);
  });
});
