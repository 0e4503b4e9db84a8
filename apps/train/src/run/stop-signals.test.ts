import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as later } from 'node:timers/promises';
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
    // at once it is the same, passed on by a program around
    child.kill(signal);
    await later(200);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([130, null]);
  },
  60_000,
);

test('SIGUSR1 asks once and never ends the program, nor opens its debugger; what follows it is a first request', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program]);
  const said = async () => String((await once(child.stdout, 'data'))[0]).trim();
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  expect(await said()).toBe('runs');
  child.kill('SIGUSR1');
  expect(await said()).toBe('asked by SIGUSR1');
  await later(200);
  child.kill('SIGUSR1');
  await later(200);
  child.kill('SIGTERM');
  // on its own it would have had time to end by then
  expect(await Promise.race([once(child, 'exit'), later(300, 'runs')])).toBe('runs');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([130, null]);
  expect(errors).toBe('');
});

const before = `
  import { untilStopped } from '${new URL('./stop-signals.ts', import.meta.url).href}';
  const working = setInterval(() => {}, 1000);
  const work = (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const ended = untilStopped(work).catch(({ code, message }) => console.log(code + ': ' + message));
  console.log('runs');
  await ended;
  clearInterval(working);
`;

test('before the first step a signal ends the work at hand, and says that nothing is lost', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', before]);
  const said = async () => String((await once(child.stdout, 'data'))[0]).trim();
  expect(await said()).toBe('runs');
  child.kill('SIGTERM');
  expect(await said()).toBe(
    'interrupted: SIGTERM before the first step; nothing is lost, the same command starts it again',
  );
  expect(await once(child, 'exit')).toEqual([0, null]);
});
