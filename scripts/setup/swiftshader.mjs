/**
 * SwiftShader, Google's Vulkan driver for the CPU, with a Vulkan loader of its own: three files inside the npm package
 * `@sparticuz/chromium`, which need nothing of the system but libc. They are unpacked to the user's cache; nothing else
 * of the package is kept.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { SetupError } from './errors.mjs';
import { npmFailure } from './failures.mjs';
import { stage } from './stages.mjs';
import { cacheFolder, NPM_OPTIONS, run } from './system.mjs';

const VERSION = '153.0.0';
const ARCHIVE_SHA256 = 'b680e40a33235ecc6ad4c6897a168b70ce5164f0d62d2a64d675320d51614631';
const FILES = ['libvulkan.so.1', 'libvk_swiftshader.so', 'vk_swiftshader_icd.json'];

/** The variables that make Dawn see it. `variable` is VK_ADD_DRIVER_FILES (beside others) or VK_DRIVER_FILES (alone). */
export async function installSwiftShader(variable) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError(
      `no WebGPU adapter answers, and the software one this script knows is for linux-x64, not ${process.platform}-${process.arch}`,
    );
  }
  const folder = join(cacheFolder(), `swiftshader-${VERSION}`);
  if (!existsSync(folder)) {
    await stage('SwiftShader', 'fetching a Vulkan driver for the CPU, 70 MB from npm, once', () => download(folder));
  }
  const libraries = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return { LD_LIBRARY_PATH: libraries, [variable]: join(folder, 'vk_swiftshader_icd.json') };
}

async function download(folder) {
  const partial = mkdtempSync(`${folder}-`);
  try {
    const name = `@sparticuz/chromium@${VERSION}`;
    await must('npm', ['pack', name, '--pack-destination', partial, ...NPM_OPTIONS]);
    const packed = join(partial, `sparticuz-chromium-${VERSION}.tgz`);
    await must('tar', ['-xzf', packed, '-C', partial, 'package/bin/swiftshader.tar.br']);
    const archive = readFileSync(join(partial, 'package/bin/swiftshader.tar.br'));
    const sha256 = createHash('sha256').update(archive).digest('hex');
    if (sha256 !== ARCHIVE_SHA256) throw new SetupError(`${name} is not the expected one: sha256 ${sha256}`);
    writeFileSync(join(partial, 'swiftshader.tar'), brotliDecompressSync(archive));
    const unpacked = join(partial, 'unpacked');
    mkdirSync(unpacked);
    await must('tar', ['-xf', join(partial, 'swiftshader.tar'), '-C', unpacked, ...FILES]);
    // Another process may have been faster: its folder is as good.
    if (!existsSync(folder)) renameSync(unpacked, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

async function must(program, args) {
  const result = await run(program, args);
  if (!result.ok)
    throw new SetupError(program === 'npm' ? npmFailure(result.stderr) : `${program}: ${result.stderr.trim()}`);
}
