import type { Readable } from 'node:stream';
import { printableLines } from '@behalf/gateway/printable';
import type { Environment } from './data-dir.js';

/** The parts of its process that a command uses. */
export interface ProcessStreams {
  readonly env: Environment;
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
}

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** The process as commands see it: tests run them with an environment and streams of their own. */
export class CommandProcess implements ProcessStreams {
  readonly env: Environment;
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The exit code, if the command fails without an error. */
  exitCode = 0;

  constructor({ env, stdin, stdout, stderr }: ProcessStreams) {
    this.env = env;
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** Prints a line to stdout, with control characters escaped: quoted input cannot control the terminal. */
  readonly printLine = (line: string): void => {
    this.stdout.write(`${printableLines(line)}\n`);
  };

  /** Prints a line to stderr, with control characters escaped. */
  readonly printError = (line: string): void => {
    this.stderr.write(`${printableLines(line)}\n`);
  };
}
