/** Runs a program that may hang: with a limit of time, its output passed on and the end of it kept. */
import { spawn } from 'node:child_process';

export interface Ended {
  readonly status: number;
  readonly timedOut: boolean;
  /** The last of what it printed. */
  readonly tail: string;
}

const TAIL_CHARACTERS = 4000;
/** From the request to end until it is no longer a request. */
const GRACE_SECONDS = 4;

/** Ends the program, and what it started, after `seconds`. */
export function runChild(
  [program, ...args]: readonly [string, ...string[]],
  seconds: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ended> {
  return new Promise((resolve) => {
    // a process group of its own, so that what it started ends with it
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let tail = '';
    let timedOut = false;
    const keep = (out: NodeJS.WriteStream) => (chunk: Buffer) => {
      out.write(chunk);
      tail = (tail + chunk.toString()).slice(-TAIL_CHARACTERS);
    };
    const end = (signal: NodeJS.Signals): void => {
      try {
        process.kill(-child.pid!, signal);
      } catch {
        // it is gone already
      }
    };
    const limit = setTimeout(() => {
      timedOut = true;
      end('SIGTERM');
      grace = setTimeout(() => end('SIGKILL'), 1000 * GRACE_SECONDS);
    }, 1000 * seconds);
    let grace: NodeJS.Timeout | undefined;
    const stop = (): void => {
      end('SIGKILL');
      process.exit(130);
    };
    process.once('SIGINT', stop);
    const finish = (status: number): void => {
      clearTimeout(limit);
      clearTimeout(grace);
      process.removeListener('SIGINT', stop);
      end('SIGKILL');
      resolve({ status, timedOut, tail });
    };
    child.stdout.on('data', keep(process.stdout));
    child.stderr.on('data', keep(process.stderr));
    child.on('error', (error) => {
      tail += error.message;
      finish(127);
    });
    child.on('close', (code) => finish(code ?? 1));
  });
}
