import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

const program = `
  import { listenForStop } from '${new URL('./stop-signals.ts', import.meta.url).href}';
  listenForStop((signal) => console.log('asked by ' + signal));
  setInterval(() => {}, 1000);
  console.log('runs');
`;

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s is heard and the program goes on; the second ends it',
  async (signal) => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program]);
    const said = async () => String((await once(child.stdout, 'data'))[0]).trim();
    expect(await said()).toBe('runs');
    child.kill(signal);
    expect(await said()).toBe(`asked by ${signal}`);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([130, null]);
  },
  60_000,
);
