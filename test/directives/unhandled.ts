/** Node reports unhandled rejections after the microtasks of a turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** The rejections that nobody handled, each of which ends a Node process. */
export async function unhandledDuring(run: () => Promise<void>): Promise<unknown[]> {
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => {
    unheard.push(reason);
  };
  process.on('unhandledRejection', hear);
  try {
    await run();
    await nextTurn();
    return unheard;
  } finally {
    process.off('unhandledRejection', hear);
  }
}
