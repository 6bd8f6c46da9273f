import { describe, expect, it } from 'vitest';
import { BatchWriter } from '../../audit/batch-writer.js';
import { AuditError } from '../../audit/index.js';

/** A store whose writes end when the test says so. */
function heldStore() {
  const batches: number[][] = [];
  const held: { resolve: () => void; reject: (error: Error) => void }[] = [];
  return {
    batches,
    write: (items: readonly number[]) =>
      new Promise<void>((resolve, reject) => {
        batches.push([...items]);
        held.push({ resolve, reject });
      }),
    async end(failure?: Error): Promise<void> {
      const write = held.shift();
      if (failure === undefined) write?.resolve();
      else write?.reject(failure);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const codeOf = (promise: Promise<void>): Promise<unknown> =>
  promise.then(
    () => 'durable',
    (error: unknown) => (error instanceof AuditError ? error.code : error),
  );

describe('BatchWriter', () => {
  it('commits waiting items together and in order', async () => {
    const store = heldStore();
    const writer = new BatchWriter<number>({ write: store.write });
    const settled: number[] = [];
    const append = (item: number) => writer.append(item).then(() => settled.push(item));
    const all = [append(1), append(2)];
    await turn();
    all.push(append(3), append(4), append(5));
    await turn();
    expect(store.batches).toEqual([[1, 2]]);
    expect(settled).toEqual([]);
    await store.end();
    expect(settled).toEqual([1, 2]);
    expect(store.batches).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    await store.end();
    await Promise.all(all);
    expect(settled).toEqual([1, 2, 3, 4, 5]);
  });

  it('bounds the items of one write', async () => {
    const store = heldStore();
    const writer = new BatchWriter<number>({ write: store.write, maxBatch: 2 });
    const all = [1, 2, 3, 4, 5].map((item) => writer.append(item));
    await turn();
    for (let write = 0; write < 3; write += 1) await store.end();
    await Promise.all(all);
    expect(store.batches).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('bounds waiting items: refuses immediately and counts the loss', async () => {
    const store = heldStore();
    const writer = new BatchWriter<number>({ write: store.write, maxQueue: 2, maxWaitMs: 0 });
    const first = codeOf(writer.append(1));
    await turn();
    const waiting = [codeOf(writer.append(2)), codeOf(writer.append(3))];
    expect(await codeOf(writer.append(4))).toBe('AUDIT_QUEUE_FULL');
    expect(writer.lost).toBe(1);
    await store.end(new Error('no'));
    expect(await first).toBe('AUDIT_WRITE_FAILED');
    expect(writer.lost).toBe(2);
    await store.end();
    expect(await Promise.all(waiting)).toEqual(['durable', 'durable']);
    expect(writer.lost).toBe(2);
  });

  it('bounds one write by bytes, and writes a larger item alone', async () => {
    const store = heldStore();
    const writer = new BatchWriter<number>({
      write: store.write,
      bytesOf: (item) => item,
      maxBatchBytes: 10,
    });
    const all = [4, 5, 6, 30, 1, 9].map((item) => writer.append(item));
    await turn();
    for (let write = 0; write < 4; write += 1) await store.end();
    await Promise.all(all);
    expect(store.batches).toEqual([[4, 5], [6], [30], [1, 9]]);
  });

  it('bounds waiting bytes, including those being written', async () => {
    const store = heldStore();
    const writer = new BatchWriter<number>({
      write: store.write,
      bytesOf: (item) => item,
      maxQueueBytes: 10,
    });
    const first = codeOf(writer.append(6));
    await turn();
    expect(await codeOf(writer.append(5))).toBe('AUDIT_QUEUE_FULL');
    const second = codeOf(writer.append(4));
    expect(await codeOf(writer.append(1))).toBe('AUDIT_QUEUE_FULL');
    await store.end();
    expect(await first).toBe('durable');
    const third = codeOf(writer.append(6));
    await store.end();
    await store.end();
    expect(await Promise.all([second, third])).toEqual(['durable', 'durable']);
    expect(writer.lost).toBe(2);
  });

  it('retries and keeps the order', async () => {
    const written: number[] = [];
    let failures = 2;
    const writer = new BatchWriter<number>({
      write: async (items) => {
        if (failures > 0) {
          failures -= 1;
          throw new Error('no');
        }
        written.push(...items);
      },
    });
    const first = writer.append(1);
    await turn();
    await Promise.all([first, writer.append(2)]);
    expect(written).toEqual([1, 2]);
    expect(writer.lost).toBe(0);
  });

  it('continues after a failed batch, and keeps the cause', async () => {
    let isUp = false;
    const cause = new Error('no');
    const writer = new BatchWriter<number>({
      write: async () => {
        if (!isUp) throw cause;
      },
      maxWaitMs: 100,
    });
    await expect(writer.append(1)).rejects.toMatchObject({ code: 'AUDIT_WRITE_FAILED', cause });
    isUp = true;
    await writer.append(2);
    expect(writer.lost).toBe(1);
  });

  it('close writes waiting items, then refuses more', async () => {
    const store = heldStore();
    const writer = new BatchWriter<number>({ write: store.write, maxBatch: 1 });
    const all = [writer.append(1), writer.append(2)];
    const closed = writer.close();
    expect(await codeOf(writer.append(3))).toBe('AUDIT_CLOSED');
    await turn();
    await store.end();
    await store.end();
    await closed;
    await Promise.all(all);
    expect(store.batches).toEqual([[1], [2]]);
    await writer.close();
  });

  it('close does not retry when the store is gone', async () => {
    let tries = 0;
    const writer = new BatchWriter<number>({
      write: async () => {
        tries += 1;
        throw new Error('gone');
      },
      maxBatch: 1,
      maxWaitMs: 60_000,
    });
    const all = [1, 2, 3, 4, 5].map((item) => codeOf(writer.append(item)));
    await turn();
    await writer.close();
    expect(new Set(await Promise.all(all))).toEqual(new Set(['AUDIT_WRITE_FAILED']));
    // Retries would go on for a minute.
    expect(tries).toBeLessThan(8);
    expect(writer.lost).toBe(5);
  });
});
