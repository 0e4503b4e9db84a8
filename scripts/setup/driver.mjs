/**
 * Finds a WebGPU adapter that Dawn accepts and that computes, and the environment variables it needs.
 *
 * `FRANCA_DRIVER` (default `auto`):
 *   auto         whatever answers on this machine as it is; if nothing does, Mesa's lavapipe installed through apt (root
 *                on Debian or Ubuntu), else SwiftShader in the user's cache. Drivers are only ever added to those of the
 *                system: a GPU stays visible, and is preferred.
 *   system       whatever answers on this machine as it is, and nothing is installed.
 *   lavapipe     Mesa's CPU driver alone, installed if need be: a GPU is not looked at.
 *   swiftshader  SwiftShader alone, likewise.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { installLavapipe, lavapipeHint, lavapipeManifest } from './lavapipe.mjs';
import { installSwiftShader } from './swiftshader.mjs';
import { readStamp, root, run, writeStamp } from './system.mjs';

/** Resolves to `{ env, line }`; `line` says what was chosen and why. */
export async function chooseDriver() {
  const wanted = process.env.FRANCA_DRIVER || 'auto';
  const choose = { auto, system, lavapipe, swiftshader }[wanted];
  if (!choose) throw new SetupError(`FRANCA_DRIVER is "${wanted}": use auto, system, lavapipe or swiftshader`);
  const stamp = readStamp('driver');
  if (stamp?.key === driversKey() && manifestsExist(stamp.env)) return stamp;
  const { env, adapter, why } = await choose();
  const kind = adapter.software ? 'on the CPU' : 'hardware';
  const choice = { key: driversKey(), env, line: `WebGPU adapter: ${adapter.description} (${kind}): ${why}` };
  writeStamp('driver', choice);
  return choice;
}

async function auto() {
  const present = await probe({});
  if (present.adapter) return { ...present, why: presentReason(present.adapter) };

  const installed = await installLavapipe();
  if (installed.ok) {
    const mesa = await probe({});
    if (mesa.adapter) return { ...mesa, why: `nothing answered${unusedHardware()}, so ${installed.how}` };
  }
  const shader = await installSwiftShader('VK_ADD_DRIVER_FILES').then(probe, (error) => ({ reason: error.message }));
  const mesaReason = installed.ok ? 'Mesa was installed but does not answer' : installed.reason;
  if (!shader.adapter) {
    throw new SetupError(
      `no WebGPU adapter answers (${present.reason})${unusedHardware()}; lavapipe: ${mesaReason}; SwiftShader: ${shader.reason}`,
    );
  }
  return { ...shader, why: `nothing else answers${unusedHardware()} and ${mesaReason}; ${lavapipeHint()}` };
}

async function system() {
  const present = await probe({});
  if (present.adapter) return { ...present, why: presentReason(present.adapter) };
  throw new SetupError(`no WebGPU adapter answers (${present.reason})${unusedHardware()}; ${lavapipeHint()}`);
}

async function lavapipe() {
  const only = () => ({ VK_DRIVER_FILES: lavapipeManifest() });
  let found = lavapipeManifest() ? await probe(only()) : {};
  if (!found.adapter) {
    const installed = await installLavapipe();
    if (!installed.ok) throw new SetupError(`lavapipe is not here and ${installed.reason}; ${lavapipeHint()}`);
    found = await probe(only());
  }
  if (!found.adapter) throw new SetupError(`lavapipe does not answer: ${found.reason}`);
  return { ...found, why: 'FRANCA_DRIVER asks for it' };
}

async function swiftshader() {
  const found = await probe(await installSwiftShader('VK_DRIVER_FILES'));
  if (!found.adapter) throw new SetupError(`SwiftShader does not answer: ${found.reason}`);
  return { ...found, why: 'FRANCA_DRIVER asks for it' };
}

function presentReason(adapter) {
  return adapter.software ? `no GPU answers${unusedHardware()}` : 'the machine has it';
}

/** `{ env, adapter }` when an adapter answers in this environment, else `{ reason }`. */
async function probe(env) {
  const result = await run(process.execPath, [join(root, 'scripts/setup/probe.mjs')], {
    env: { ...process.env, ...env },
    timeout: 120_000,
  });
  if (result.ok) return { env, adapter: JSON.parse(result.stdout) };
  const lines = result.stderr.trim().split('\n');
  return { reason: result.signal ? `the driver ended its process with ${result.signal}` : lines[lines.length - 1] };
}

/** Whether the driver that an earlier run chose is still where it was. */
function manifestsExist({ VK_DRIVER_FILES, VK_ADD_DRIVER_FILES }) {
  return [VK_DRIVER_FILES, VK_ADD_DRIVER_FILES].every((path) => !path || existsSync(path));
}

/** A remark when the kernel knows a GPU that no Vulkan driver speaks for. */
function unusedHardware() {
  const device = ['/dev/nvidia0', '/dev/dri/renderD128', '/dev/dxg'].find((path) => existsSync(path));
  return device ? ` (though ${device} exists: its Vulkan driver is missing)` : '';
}

/** Changes whenever the answer could: drivers, devices, Dawn, the variables that steer them. */
function driversKey() {
  const hash = createHash('sha256').update(process.version);
  for (const name of [
    'FRANCA_DRIVER',
    'VK_DRIVER_FILES',
    'VK_ADD_DRIVER_FILES',
    'VK_ICD_FILENAMES',
    'LD_LIBRARY_PATH',
  ]) {
    hash.update(`${name}=${process.env[name] ?? ''};`);
  }
  const shares = ['/usr/share', '/usr/local/share', '/etc', join(homedir(), '.local/share')];
  const folders = [...shares.map((share) => `${share}/vulkan/icd.d`), '/dev/dri'];
  for (const folder of folders.filter((path) => existsSync(path))) {
    for (const name of readdirSync(folder)) hash.update(`${folder}/${name} ${statSync(join(folder, name)).mtimeMs};`);
  }
  hash.update(String(existsSync('/dev/nvidia0')));
  hash.update(readFileSync(join(root, 'node_modules/webgpu/package.json')));
  return hash.digest('hex');
}
