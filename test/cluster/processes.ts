/** Child processes of the programs in this folder: their end, their output, and an end to them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with the exit status; 128 + n after signal n would be lost, so a signal counts as 1. */
export function ended(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode ?? 1);
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (status) => resolve(status ?? 1));
  });
}

/** What a program prints, without space around it; '' where it cannot be started. */
export async function output(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (part) => {
    text += part;
  });
  await ended(child).catch(() => undefined);
  return text.trim();
}

/** Ends a process: SIGTERM, and SIGKILL where it is still there after five seconds. */
export async function stopped(child: ChildProcess): Promise<void> {
  const end = ended(child).catch(() => undefined);
  child.kill('SIGTERM');
  const timer = new AbortController();
  await Promise.race([end, sleep(5000, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort();
  child.kill('SIGKILL');
  await end;
}
