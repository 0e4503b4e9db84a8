/** Runs a program after the set-up with this terminal as its own; the program, not the set-up, decides what Ctrl-C does. */
import { spawn } from 'node:child_process';

/** Resolves to its exit status. `stdio` is as for `spawn`. */
export function passOn([program, ...args], { env, stdio = 'inherit', onStart }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio, shell: process.platform === 'win32' });
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    // by which Slurm warns of the end of a job's time; without a listener Node would open its debugger
    if (process.platform !== 'win32') process.on('SIGUSR1', () => child.kill('SIGUSR1'));
    onStart?.(child);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ? 128 : code));
  });
}
