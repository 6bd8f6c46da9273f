import { describe, expect, it, vi } from 'vitest';
import { every, steadyTime, systemClock } from '../../directives/src/clock.js';
import { ManualClock } from '../support/manual-clock.js';

describe.each([
  ['the machine’s clock', () => systemClock],
  ['a running manual clock', () => ManualClock.running()],
])('%s', (_name, make) => {
  it('shows the time, and calls back', async () => {
    const clock = make();
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(60_000);
    const before = clock.monotonic();
    await clock.sleep(1);
    await new Promise<void>((resolve) => clock.after(1, resolve));
    expect(clock.monotonic()).toBeGreaterThan(before);
  });

  it('does not call back once it was cancelled', async () => {
    const clock = make();
    const called = vi.fn();
    clock.after(1, called)();
    await clock.sleep(5);
    expect(called).not.toHaveBeenCalled();
  });

  it('ends a sleep when its signal aborts, or if it had aborted', async () => {
    const clock = make();
    const over = new AbortController();
    const sleeping = clock.sleep(3_600_000, over.signal);
    over.abort();
    await sleeping;
    await clock.sleep(3_600_000, over.signal);
  });
});

it('a sleep leaves no listener, whether it ended by itself or by its signal', async () => {
  for (const clock of [systemClock, ManualClock.running()]) {
    const over = new AbortController();
    const removed = vi.spyOn(over.signal, 'removeEventListener');
    await clock.sleep(1, over.signal);
    expect(removed).toHaveBeenCalledOnce();
    const sleeping = clock.sleep(3_600_000, over.signal);
    over.abort();
    await sleeping;
    expect(removed).toHaveBeenCalledTimes(2);
  }
});

it('the machine’s timers keep no process alive', () => {
  const unref = vi.fn();
  vi.stubGlobal('setTimeout', () => ({ unref }));
  systemClock.after(1, () => undefined);
  vi.unstubAllGlobals();
  expect(unref).toHaveBeenCalledOnce();
});

describe('a manual clock', () => {
  it('fires what is due, in order, each in its own time', async () => {
    const clock = new ManualClock({ startMs: 1_000 });
    const fired: [string, number][] = [];
    clock.after(30, () => fired.push(['third', clock.now()]));
    clock.after(10, () => {
      fired.push(['first', clock.now()]);
      clock.after(10, () => fired.push(['second', clock.now()]));
    });
    clock.after(31, () => fired.push(['late', clock.now()]));
    await clock.advance(30);
    expect(fired).toEqual([
      ['first', 1_010],
      ['second', 1_020],
      ['third', 1_030],
    ]);
    expect([clock.now(), clock.monotonic(), clock.timers]).toEqual([1_030, 30, 1]);
  });

  it('is set without any time passing', () => {
    const clock = new ManualClock({ startMs: 1_000 });
    clock.set(-500);
    expect([clock.now(), clock.monotonic()]).toEqual([500, 0]);
  });
});

it('steady time goes on when the clock is set', async () => {
  const clock = new ManualClock({ startMs: 5_000 });
  const steady = steadyTime(clock);
  await clock.advance(10);
  clock.set(-3_600_000);
  await clock.advance(10);
  expect(steady()).toBe(5_020);
});

it('every calls back again and again until it is ended, also from within a call', async () => {
  const clock = new ManualClock();
  const called = vi.fn();
  const end = every(clock, 10, called);
  await clock.advance(35);
  expect(called).toHaveBeenCalledTimes(3);
  end();
  await clock.advance(100);
  const once = vi.fn(() => endWithin());
  const endWithin = every(clock, 10, once);
  await clock.advance(100);
  expect(once).toHaveBeenCalledOnce();
  expect(clock.timers).toBe(0);
});
