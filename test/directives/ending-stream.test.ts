import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../directives/src/clock.js';
import { systemClock } from '../../directives/src/clock.js';
import { EndWatch } from '../../directives/src/enforce/delegation-end.js';
import type { DelegationLife } from '../../directives/src/enforce/delegation-end.js';
import { endWithDelegation } from '../../directives/src/enforce/ending-stream.js';
import { OwnEvents } from '../../directives/src/enforce/own-events.js';
import { ManualClock } from '../support/manual-clock.js';

const ENDED = {
  message: 'The delegation behind this subscription has ended',
  extensions: { code: 'DELEGATION_ENDED' },
};
const DONE = { done: true, value: undefined };

let time: ManualClock;
beforeEach(() => {
  time = new ManualClock({ startMs: 0 });
});

/** A delegation that ends at a time, or by `revoke`. */
class Life implements DelegationLife {
  readonly controller = new AbortController();
  readonly revoked = this.controller.signal;
  isRevoked = false;

  constructor(
    public endsAtMs: number,
    readonly clock: Clock = time,
  ) {}

  hasEnded(): boolean {
    return this.isRevoked || time.now() >= this.endsAtMs;
  }

  remainingMs(): number {
    return this.endsAtMs - time.now();
  }

  revoke(): void {
    this.isRevoked = true;
    this.controller.abort();
  }
}

describe('the watch over a delegation', () => {
  it('tells of its end once, in its millisecond', async () => {
    const ended = vi.fn();
    const watch = new EndWatch(new Life(30_000), ended);
    await time.advance(29_999);
    expect(ended).not.toHaveBeenCalled();
    expect(watch.hasEnded()).toBe(false);
    await time.advance(1);
    expect(watch.hasEnded()).toBe(true);
    await time.advance(1_000_000);
    expect(ended).toHaveBeenCalledOnce();
    expect(time.timers).toBe(0);
  });

  it('looks at the clock each minute, because clocks are adjusted', async () => {
    const ended = vi.fn();
    const life = new Life(3_600_000);
    new EndWatch(life, ended);
    life.endsAtMs = 1;
    await time.advance(59_999);
    expect(ended).not.toHaveBeenCalled();
    await time.advance(1);
    expect(ended).toHaveBeenCalledOnce();
  });

  it('of one that has ended already tells so, but not before it is there', async () => {
    const ended = vi.fn();
    new EndWatch(new Life(-5_000), ended);
    expect(ended).not.toHaveBeenCalled();
    await time.advance(1);
    expect(ended).toHaveBeenCalledOnce();
  });

  it('of one without an end waits for its revocation alone', () => {
    const ended = vi.fn();
    const life = new Life(Infinity);
    new EndWatch(life, ended);
    expect(time.timers).toBe(0);
    life.revoke();
    expect(ended).toHaveBeenCalledOnce();
  });

  it('waits on with one timer where a signal came too early', async () => {
    const ended = vi.fn();
    const life = new Life(30_000);
    new EndWatch(life, ended);
    life.controller.abort();
    expect(ended).not.toHaveBeenCalled();
    expect(time.timers).toBe(1);
    await time.advance(30_000);
    expect(ended).toHaveBeenCalledOnce();
  });

  it('that is closed tells nothing, and holds neither timer nor listener', async () => {
    const ended = vi.fn();
    const life = new Life(30_000);
    const removed = vi.spyOn(life.revoked, 'removeEventListener');
    const watch = new EndWatch(life, ended);
    watch.close();
    expect(time.timers).toBe(0);
    expect(removed).toHaveBeenCalledWith('abort', expect.any(Function));
    life.revoke();
    await time.advance(30_000);
    expect(ended).not.toHaveBeenCalled();
  });

  it('keeps no process alive', () => {
    const unref = vi.fn();
    vi.stubGlobal('setTimeout', () => ({ unref }));
    new EndWatch(new Life(30_000, systemClock), () => undefined);
    vi.unstubAllGlobals();
    expect(unref).toHaveBeenCalledOnce();
  });

  it('works where nobody tells of revocations', async () => {
    const ended = vi.fn();
    const life: DelegationLife = {
      clock: time,
      hasEnded: () => time.now() >= 10,
      remainingMs: () => 10 - time.now(),
      revoked: undefined,
    };
    new EndWatch(life, ended).close();
    new EndWatch(life, ended);
    await time.advance(10);
    expect(ended).toHaveBeenCalledOnce();
  });
});

interface Source {
  next: () => Promise<IteratorResult<unknown>>;
  return?: () => Promise<IteratorResult<unknown>>;
}

function iterable(source: Source): AsyncIterable<unknown> {
  return { [Symbol.asyncIterator]: () => source };
}

async function openStream(source: Source, life: Life): Promise<AsyncIterableIterator<unknown>> {
  return (await endWithDelegation(() => iterable(source), life)) as AsyncIterableIterator<unknown>;
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('a source of events that ends with the delegation', () => {
  it('passes on what is no stream, and stops watching', async () => {
    const life = new Life(30_000);
    expect(await endWithDelegation(() => 'no stream', life)).toBe('no stream');
    expect(time.timers).toBe(0);
  });

  it('fails as the opening of it fails, and stops watching', async () => {
    for (const open of [
      () => {
        throw new Error('no broker');
      },
      () => Promise.reject(new Error('no broker')),
    ])
      await expect(endWithDelegation(open, new Life(30_000))).rejects.toThrow('no broker');
    expect(time.timers).toBe(0);
  });

  it('fails at the end when it is not open by then, and is returned when it opens later', async () => {
    const life = new Life(30_000);
    const returned = vi.fn(async () => DONE as IteratorReturnResult<undefined>);
    let open: (source: unknown) => void = () => undefined;
    const opening = endWithDelegation(() => new Promise((resolve) => (open = resolve)), life);
    const failed = expect(opening).rejects.toMatchObject(ENDED);
    await time.advance(30_000);
    await failed;
    open(iterable({ next: never, return: returned }));
    await vi.waitFor(() => {
      expect(returned).toHaveBeenCalledOnce();
    });
  });

  it('gives one error to those who wait, and then nothing', async () => {
    const life = new Life(30_000);
    const stream = await openStream({ next: never }, life);
    const waiting = [stream.next(), stream.next()];
    life.revoke();
    await expect(waiting[0]).rejects.toMatchObject(ENDED);
    expect(await waiting[1]).toEqual(DONE);
    expect(await stream.next()).toEqual(DONE);
  });

  it('owes the error to whoever asks next, once', async () => {
    const life = new Life(30_000);
    const stream = await openStream({ next: never }, life);
    life.revoke();
    await expect(stream.next()).rejects.toMatchObject(ENDED);
    expect(await stream.next()).toEqual(DONE);
  });

  it('owes no error to a consumer who has gone', async () => {
    const life = new Life(30_000);
    const stream = await openStream({ next: never }, life);
    life.revoke();
    expect(await stream.return?.()).toEqual(DONE);
    expect(await stream.next()).toEqual(DONE);
  });

  it('owes none for an event that comes when the consumer has gone', async () => {
    const life = new Life(30_000);
    let push: (result: IteratorResult<unknown>) => void = () => undefined;
    const stream = await openStream({ next: () => new Promise((resolve) => (push = resolve)) }, life);
    const waiting = stream.next();
    await stream.return?.();
    expect(await waiting).toEqual(DONE);
    life.isRevoked = true;
    push({ done: false, value: 'too late' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(await stream.next()).toEqual(DONE);
  });

  it('is returned once, whatever becomes of that', async () => {
    for (const result of [() => never(), () => Promise.reject(new Error('broken'))]) {
      const life = new Life(30_000);
      const returned = vi.fn(result);
      const stream = await openStream({ next: never, return: returned }, life);
      const waiting = expect(stream.next()).rejects.toMatchObject(ENDED);
      life.revoke();
      await waiting;
      expect(await stream.return?.()).toEqual(DONE);
      expect(returned).toHaveBeenCalledOnce();
      expect(time.timers).toBe(0);
    }
  });

  it('gives an event that arrives with the end to nobody', async () => {
    const life = new Life(30_000);
    let push: (result: IteratorResult<unknown>) => void = () => undefined;
    const stream = await openStream({ next: () => new Promise((resolve) => (push = resolve)) }, life);
    const waiting = expect(stream.next()).rejects.toMatchObject(ENDED);
    life.isRevoked = true;
    push({ done: false, value: 'too late' });
    await waiting;
    expect(await stream.next()).toEqual(DONE);
  });

  it('gives an event that came before the end', async () => {
    const stream = await openStream({ next: async () => ({ done: false, value: 1 }) }, new Life(30_000));
    expect(stream[Symbol.asyncIterator]()).toBe(stream);
    expect(await stream.next()).toEqual({ done: false, value: 1 });
  });

  it('is over for everybody who waits when the source is', async () => {
    const life = new Life(30_000);
    const ends: ((result: IteratorResult<unknown>) => void)[] = [];
    const stream = await openStream({ next: () => new Promise((resolve) => ends.push(resolve)) }, life);
    const waiting = [stream.next(), stream.next()];
    await vi.waitFor(() => {
      expect(ends).toHaveLength(2);
    });
    ends[1]?.({ done: true, value: undefined });
    expect(await Promise.all(waiting)).toEqual([DONE, DONE]);
    life.revoke();
    expect(await stream.next()).toEqual(DONE);
    expect(time.timers).toBe(0);
  });

  it('fails once as the source fails, also at once', async () => {
    for (const next of [
      () => Promise.reject(new Error('lost')),
      () => {
        throw new Error('lost');
      },
    ]) {
      const stream = await openStream({ next }, new Life(30_000));
      await expect(stream.next()).rejects.toThrow('lost');
      expect(await stream.next()).toEqual(DONE);
      expect(time.timers).toBe(0);
    }
  });

  it('is returned by a consumer who goes, with what the source answers', async () => {
    const returned = vi.fn(async () => ({ done: true as const, value: 'left' }));
    const stream = await openStream({ next: never, return: returned }, new Life(30_000));
    const waiting = stream.next();
    expect(await stream.return?.()).toEqual({ done: true, value: 'left' });
    expect(await waiting).toEqual(DONE);
    expect(time.timers).toBe(0);
    const plain = await openStream({ next: never }, new Life(30_000));
    expect(await plain.return?.()).toEqual(DONE);
  });

  it('is returned by a consumer who throws', async () => {
    const returned = vi.fn(async () => ({ done: true as const, value: undefined }));
    const stream = await openStream({ next: never, return: returned }, new Life(30_000));
    await expect(stream.throw?.(new Error('mine'))).rejects.toThrow('mine');
    expect(returned).toHaveBeenCalledOnce();
  });
});

describe('events of the caller alone', () => {
  const own = async (payload: unknown): Promise<boolean> => payload === 'own';

  it('are the ones that come through', async () => {
    async function* source(): AsyncGenerator {
      yield 'foreign';
      yield 'own';
      yield 'foreign';
      return 'end';
    }
    const events = new OwnEvents(source(), own);
    expect(events[Symbol.asyncIterator]()).toBe(events);
    expect(await events.next()).toEqual({ done: false, value: 'own' });
    expect(await events.next()).toEqual({ done: true, value: 'end' });
  });

  it('are not looked for any more when the consumer has gone', async () => {
    const next = vi.fn(async () => ({ done: false as const, value: 'foreign' }));
    const events = new OwnEvents(iterable({ next }), own);
    const waiting = events.next();
    expect(await events.return()).toEqual(DONE);
    expect(await waiting).toEqual(DONE);
    expect(next).toHaveBeenCalledOnce();
  });

  it('return their source with its answer, also for a consumer who throws', async () => {
    const returned = vi.fn(async () => ({ done: true as const, value: 'left' }));
    const events = new OwnEvents(iterable({ next: never, return: returned }), own);
    expect(await events.return()).toEqual({ done: true, value: 'left' });
    await expect(events.throw(new Error('mine'))).rejects.toThrow('mine');
    expect(returned).toHaveBeenCalledTimes(2);
  });
});
