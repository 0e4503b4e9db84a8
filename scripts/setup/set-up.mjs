/** The machine is set up: Node is recent enough, npm's packages are here, a WebGPU adapter answers. What had to be done is told, stage by stage. */
import { installDependencies } from './dependencies.mjs';
import { chooseDriver, installAhead } from './driver.mjs';
import { Interrupted, SetupError } from './errors.mjs';
import { say } from './stages.mjs';
import { endAll, listenForStop } from './system.mjs';

/**
 * Resolves to the variables that programs need to find the adapter: none where the system's own drivers do. A program that was started by the
 * set-up may start it again: everything is set up then.
 */
export async function setUp() {
  if (process.env.FRANCA_SETUP_DONE) return {};
  checkNode();
  const forget = listenForStop();
  const ahead = installAhead();
  try {
    await installDependencies();
    const { env, line } = await chooseDriver(ahead);
    say(line);
    return { ...env, FRANCA_SETUP_DONE: '1' };
  } catch (error) {
    endAll();
    await Promise.allSettled(Object.values(ahead));
    throw error;
  } finally {
    forget();
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(`Node 20.19 or newer is needed, this is ${process.versions.node}: see https://nodejs.org`);
  }
}

/** Runs a script to its exit status: what is the user's to put right takes one line. */
export async function exitWith(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (error instanceof Interrupted) {
      say('setup: stopped; nothing was left half installed, the next start goes on from here');
      process.exitCode = error.signal === 'SIGINT' ? 130 : 143;
      return;
    }
    say(whatToDo(error));
    process.exitCode = 1;
  }
}

function whatToDo(error) {
  if (error instanceof SetupError) return `setup: ${error.message}`;
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    return `setup: the disk is full (${error.message}): free 2 GB and start again`;
  if (error.code === 'EACCES' || error.code === 'EROFS' || error.code === 'EPERM')
    return `setup: ${error.path ?? 'a folder'} cannot be written (${error.code}): take a copy of this repository, and a home directory, that are yours`;
  return error.stack;
}
