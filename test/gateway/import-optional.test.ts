import { describe, expect, it } from 'vitest';
import { importOptional } from '../../gateway/import-optional.js';
import { ConfigurationError } from '../../gateway/index.js';

const load = async (specifier: string): Promise<unknown> => import(/* @vite-ignore */ specifier);

describe('importOptional', () => {
  it('returns the module of an installed package', async () => {
    const module = await importOptional('audit.database', 'pg', async () => import('pg'));
    expect(module.default.Pool).toBeTypeOf('function');
  });

  it('names the key and the packages to install', async () => {
    const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    const attempt = importOptional('audit.database', 'pg kysely', async () => Promise.reject(missing));
    await expect(attempt).rejects.toThrow(ConfigurationError);
    await expect(attempt).rejects.toThrow(/audit\.database.*npm install pg kysely/);
  });

  it('rethrows what the module itself throws', async () => {
    const attempt = importOptional('limits.store', 'ioredis', async () =>
      load('data:text/javascript,throw new RangeError("from the module")'),
    );
    await expect(attempt).rejects.toThrow(RangeError);
  });
});
