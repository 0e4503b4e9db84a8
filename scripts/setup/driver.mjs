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
import { installLavapipe, lavapipeHint, lavapipeManifest, whyNotHere } from './lavapipe.mjs';
import { installSwiftShader } from './swiftshader.mjs';
import { readStamp, root, run, writeStamp } from './system.mjs';

/**
 * Begins what will be needed for certain, while npm installs, without which no adapter can be asked: a machine without a GPU and without a
 * single Vulkan driver. For `chooseDriver`.
 */
export function installAhead() {
  if (wanted() !== 'auto' || process.platform !== 'linux' || unusedHardware() || driverFiles().length > 0) return {};
  const installing = whyNotHere() ? { shader: installSwiftShader('VK_ADD_DRIVER_FILES') } : { mesa: installLavapipe() };
  // whoever awaits it is told
  for (const promise of Object.values(installing)) promise.catch(() => {});
  return installing;
}

/** Resolves to `{ env, line }`; `line` says what was chosen and why. */
export async function chooseDriver(ahead) {
  const choose = { auto, system, lavapipe, swiftshader }[wanted()];
  if (!choose) throw new SetupError(`FRANCA_DRIVER is "${wanted()}": use auto, system, lavapipe or swiftshader`);
  const stamp = readStamp('driver');
  if (stamp?.key === driversKey() && manifestsExist(stamp.env)) return stamp;
  const { env, adapter, why } = await choose(ahead);
  const kind = adapter.software ? 'on the CPU' : 'hardware';
  const choice = { key: driversKey(), env, line: `WebGPU adapter: ${adapter.description} (${kind}): ${why}` };
  writeStamp('driver', choice);
  return choice;
}

const wanted = () => process.env.FRANCA_DRIVER || 'auto';

async function auto(ahead) {
  const known = ahead.mesa || ahead.shader;
  const present = known ? { reason: 'there is no Vulkan driver' } : await probe({});
  if (present.adapter) return { ...present, why: presentReason(present.adapter) };

  const installed = await (ahead.mesa ?? installLavapipe());
  if (installed.ok) {
    const mesa = await probe({});
    if (mesa.adapter) return { ...mesa, why: `nothing answered${unusedHardware()}, so ${installed.how}` };
  }
  const shader = await (ahead.shader ?? installSwiftShader('VK_ADD_DRIVER_FILES')).then(probe, (error) => {
    if (error instanceof SetupError) return { reason: error.message };
    throw error;
  });
  const mesaReason = installed.ok ? 'Mesa was installed but does not answer' : installed.reason;
  if (!shader.adapter) {
    throw new SetupError(
      `no WebGPU adapter answers (${present.reason})${unusedHardware()}; Mesa: ${mesaReason}; SwiftShader: ${shader.reason}`,
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

/** Where drivers announce themselves to the Vulkan loader: their files, and when each was changed. */
function driverFiles() {
  const shares = ['/usr/share', '/usr/local/share', '/etc', join(homedir(), '.local/share')];
  const folders = shares.map((share) => `${share}/vulkan/icd.d`).filter((path) => existsSync(path));
  const named = VARIABLES.filter((name) => name.startsWith('VK_') && process.env[name]);
  return [...named, ...folders.flatMap(listed)];
}

const listed = (folder) =>
  readdirSync(folder).map((name) => `${folder}/${name} ${statSync(join(folder, name)).mtimeMs}`);

const VARIABLES = ['FRANCA_DRIVER', 'VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES', 'VK_ICD_FILENAMES', 'LD_LIBRARY_PATH'];

/** Changes whenever the answer could: drivers, devices, Dawn, the variables that steer them. */
function driversKey() {
  const hash = createHash('sha256').update(process.version);
  for (const name of VARIABLES) hash.update(`${name}=${process.env[name] ?? ''};`);
  for (const file of [...driverFiles(), ...(existsSync('/dev/dri') ? listed('/dev/dri') : [])]) hash.update(`${file};`);
  hash.update(String(existsSync('/dev/nvidia0')));
  hash.update(readFileSync(join(root, 'node_modules/webgpu/package.json')));
  return hash.digest('hex');
}
