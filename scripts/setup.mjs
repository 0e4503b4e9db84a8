#!/usr/bin/env node
/**
 * Sets up a fresh machine on which there is nothing but Node, and runs a command in the environment that results:
 *
 *   node scripts/setup.mjs [--build[=<package>]] [--keep-going] [-- command arguments...]
 *   node scripts/setup.mjs --print-env        # for a shell: eval "$(node scripts/setup.mjs --print-env)"
 *
 * 1. `npm install`, if a package.json changed since the last time.
 * 2. A WebGPU adapter: see setup/driver.mjs. One line says which was chosen and why.
 * 3. With --build, the `dist` of every package, or of one and what it imports. With --keep-going a failed build does not
 *    stop the command (tests read the sources), but the exit status stays 1.
 *
 * The second time everything but the build is a look at a stamp file.
 */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { installDependencies } from './setup/dependencies.mjs';
import { chooseDriver } from './setup/driver.mjs';
import { SetupError } from './setup/errors.mjs';
import { root, run } from './setup/system.mjs';

async function main() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(`Node 20.19 or newer is needed, this is ${process.versions.node}: see https://nodejs.org`);
  }
  const separator = process.argv.indexOf('--');
  const options = process.argv.slice(2, separator < 0 ? undefined : separator);
  const command = separator < 0 ? [] : process.argv.slice(separator + 1);

  const env = { ...process.env };
  // A command that was started by this script may start it again: everything is set up then.
  if (!env.FRANCA_SETUP_DONE) {
    await installDependencies();
    const driver = await chooseDriver();
    console.error(driver.line);
    Object.assign(env, driver.env, { FRANCA_SETUP_DONE: '1' });
    if (options.includes('--print-env')) printEnvironment(driver.env);
  }
  env.PATH = [join(root, 'node_modules', '.bin'), env.PATH].join(delimiter);
  env.TURBO_TELEMETRY_DISABLED = '1';

  const toBuild = options.find((option) => option.startsWith('--build'));
  const built = !toBuild || (await build(env, toBuild.split('=')[1]));
  if (!built && !options.includes('--keep-going')) return 1;
  const status = command.length ? await passOn(command, env) : 0;
  return status || (built ? 0 : 1);
}

async function build(env, name) {
  const selection = name ? [`--filter=${name}...`] : [];
  const args = ['run', 'build', '--continue', '--output-logs=errors-only', ...selection];
  const { ok, stdout, stderr } = await run('turbo', args, { env });
  if (!ok) console.error(`${stdout}${stderr}\nThe build failed: see above.`);
  return ok;
}

/** Runs the command with this terminal as its own; it, not this script, decides what Ctrl-C does. */
function passOn([program, ...args], env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'inherit', shell: process.platform === 'win32' });
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ? 128 : code));
  });
}

function printEnvironment(env) {
  for (const [name, value] of Object.entries(env)) console.log(`export ${name}='${value.replaceAll("'", "'\\''")}'`);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof SetupError ? `setup: ${error.message}` : error);
  process.exitCode = 1;
}
