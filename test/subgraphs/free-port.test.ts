import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { freePort, projectPath } from '@behalf/example/internal';

const MANY = 300;
const ENTRY = projectPath('subgraphs/bank/dist/start/free-port.js');

/** Another process that takes ports, says which, and keeps them until it is ended. */
async function another(): Promise<{ ports: number[]; end(): Promise<void> }> {
  const program = `import { freePort } from ${JSON.stringify(ENTRY)};
    const ports = [];
    for (let i = 0; i < ${MANY}; i++) ports.push(await freePort());
    console.log(JSON.stringify(ports));
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const end = async (): Promise<void> => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return { ports: JSON.parse(text.toString()) as number[], end };
}

it('gives no port twice, in this process or in another at the same time', async () => {
  const others = await Promise.all([another(), another()]);
  try {
    const mine: number[] = [];
    for (let i = 0; i < MANY; i++) mine.push(await freePort([0, 1]));
    const all = [...mine, ...mine.map((port) => port + 1), ...others.flatMap(({ ports }) => ports)];
    expect(new Set(all).size).toBe(4 * MANY);
  } finally {
    await Promise.all(others.map((each) => each.end()));
  }
});
