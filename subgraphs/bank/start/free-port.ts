import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Below the ports that systems give to outgoing connections: one of those could take a port between the probe and its use. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const MAX_ATTEMPTS = 100;

/** A file for each port that a process was given, with the number of the process. Each user has a folder, as nobody may write in another's. */
const CLAIMS_FOLDER = join(tmpdir(), `behalf-ports-${process.getuid?.() ?? 'all'}`);
const claimed: number[] = [];

/**
 * A port of the loopback interface on which nobody listens. Until this process ends, no other process is given it: the parts of
 * an example open their ports seconds later.
 *
 * @param distances ports above it that have to be free as well, as distances; its own is 0
 * @throws Error when none is found, or the system's when claims cannot be written
 */
export async function freePort(distances: readonly number[] = [0]): Promise<number> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    const ports = distances.map((distance) => port + distance);
    // Claims first: whoever claims a port that was free before its probe has it alone.
    if (ports.every(claim) && (await areFree(ports))) return port;
  }
  throw new Error('There is no free port');
}

async function areFree(ports: readonly number[]): Promise<boolean> {
  const free = await Promise.all(ports.map(isFree));
  return free.every((each) => each);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** @returns false if another process, or this one, was given the port before */
function claim(port: number): boolean {
  const file = claimFile(port);
  mkdirSync(CLAIMS_FOLDER, { recursive: true });
  if (isAbandoned(file)) rmSync(file, { force: true });
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  if (claimed.length === 0) process.once('exit', giveBackAll);
  claimed.push(port);
  return true;
}

function claimFile(port: number): string {
  return join(CLAIMS_FOLDER, String(port));
}

/** Whether the process that was given the port has ended without giving it back, as a killed one does. */
function isAbandoned(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function giveBackAll(): void {
  for (const port of claimed) rmSync(claimFile(port), { force: true });
}
