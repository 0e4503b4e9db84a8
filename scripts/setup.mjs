#!/usr/bin/env node
/**
 * Sets up a fresh machine on which there is nothing but Node, and runs a command in the environment that results:
 *
 *   node scripts/setup.mjs [--build[=<package>]] [--keep-going] [-- command arguments...]
 *   node scripts/setup.mjs --print-env        # for a shell: eval "$(node scripts/setup.mjs --print-env)"
 *
 * 1. `npm install`, if a package.json changed since the last time: see setup/dependencies.mjs.
 * 2. A WebGPU adapter: see setup/driver.mjs. One line says which was chosen and why.
 * 3. With --build, the `dist` of every package, or of one and what it imports. With --keep-going a failed build does not
 *    stop the command (tests read the sources), but the exit status stays 1.
 *
 * What takes longer than a moment is told when it begins and when it ends, with its time. The second time everything but the build is a look
 * at a stamp file. Ctrl-C leaves nothing half installed; what cannot be done is said in one line, with the way out.
 */
import { delimiter, join } from 'node:path';
import { passOn } from './setup/pass-on.mjs';
import { exitWith, setUp } from './setup/set-up.mjs';
import { stage } from './setup/stages.mjs';
import { root, run } from './setup/system.mjs';

async function main() {
  const separator = process.argv.indexOf('--');
  const options = process.argv.slice(2, separator < 0 ? undefined : separator);
  const command = separator < 0 ? [] : process.argv.slice(separator + 1);

  const found = await setUp();
  if (options.includes('--print-env')) printEnvironment(found);
  const env = { ...process.env, ...found, TURBO_TELEMETRY_DISABLED: '1' };
  env.PATH = [join(root, 'node_modules', '.bin'), env.PATH].join(delimiter);

  const toBuild = options.find((option) => option.startsWith('--build'));
  const built = !toBuild || (await stage('build', 'packages that changed', () => build(env, toBuild.split('=')[1])));
  if (!built && !options.includes('--keep-going')) return 1;
  const status = command.length ? await passOn(command, { env }) : 0;
  return status || (built ? 0 : 1);
}

async function build(env, name) {
  const selection = name ? [`--filter=${name}...`] : [];
  const args = ['run', 'build', '--continue', '--output-logs=errors-only', ...selection];
  const { ok, stdout, stderr } = await run('turbo', args, { env });
  if (!ok) console.error(`${stdout}${stderr}\nThe build failed: see above.`);
  return ok;
}

function printEnvironment({ FRANCA_SETUP_DONE: _, ...env }) {
  for (const [name, value] of Object.entries(env)) console.log(`export ${name}='${value.replaceAll("'", "'\\''")}'`);
}

await exitWith(main);
