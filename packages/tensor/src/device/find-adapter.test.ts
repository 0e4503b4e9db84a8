import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { list, release } from './dawn';
import { findAdapter } from './find-adapter';

const lavapipe = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']
  .map((folder) => join(folder, 'libvulkan_lvp.so'))
  .find((file) => existsSync(file));
const layer = existsSync('/usr/share/vulkan/implicit_layer.d/VkLayer_MESA_device_select.json');

/** lavapipe is on no bus, and is taken by the layer for a card at this address. */
const NOWHERE = '0000:00:00.0';
const ELSEWHERE = '0000:41:00.0';

describe.skipIf(!lavapipe || !layer)("two adapters of one name (needs Mesa's lavapipe and device-select layer)", () => {
  let folder: string;
  const before = { ...process.env };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'franca-twins-'));
    // One library by two paths is two drivers to the loader.
    const libraries = ['one.so', 'other.so'].map((name) => join(folder, name));
    const manifests = libraries.map((library) => {
      symlinkSync(lavapipe!, library);
      writeFileSync(
        `${library}.json`,
        JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.3.0' } }),
      );
      return `${library}.json`;
    });
    process.env.VK_DRIVER_FILES = manifests.join(':');
    process.env.MESA_VK_DEVICE_SELECT = '10005:0';
    process.env.DRI_PRIME = '1';
  });
  afterAll(() => {
    for (const name of ['VK_DRIVER_FILES', 'MESA_VK_DEVICE_SELECT', 'DRI_PRIME'])
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    rmSync(folder, { recursive: true });
  });

  const names = async (card?: string): Promise<string[]> => (await list([], card)).map(({ name }) => name.slice(0, 8));

  test('are both listed, and one of them alone by its address, with the environment as it was', async () => {
    expect(await names()).toEqual(['llvmpipe', 'llvmpipe']);
    expect(await names(NOWHERE)).toEqual(['llvmpipe']);
    expect(await names(ELSEWHERE)).toEqual(['llvmpipe', 'llvmpipe']);
    expect([process.env.MESA_VK_DEVICE_SELECT, process.env.DRI_PRIME]).toEqual(['10005:0', '1']);
  });

  test.each(['llvmpipe:0', 'software:0', 'auto:0'])('%s is the first that is seen alone', async (name) => {
    const found = await findAdapter(name, [], async () => [ELSEWHERE, NOWHERE]);
    expect(found.adapter.info.description).toMatch(/llvmpipe/);
    release(found);
  });

  test('one that is never seen alone is refused, with what was tried and what to do', async () => {
    const missing = findAdapter('llvmpipe:1', [], async () => [ELSEWHERE, NOWHERE]);
    await expect(missing).rejects.toMatchObject({
      code: 'adapter',
      message: expect.stringMatching(
        /^several adapters are called llvmpipe.*number 1 .*\(0000:41:00.0, 0000:00:00.0\), 1 of them .*mesa-vulkan-drivers.*--gpus-per-task=1/,
      ),
    });
    await expect(findAdapter('llvmpipe:0', [], async () => [])).rejects.toThrow(/the system names no PCI addresses/);
  });

  test('a number that is too high is refused, with those that there are', async () => {
    await expect(findAdapter('software:2', [])).rejects.toThrow(
      /^there is no adapter software:2; software:0 is llvmpipe.*, software:1 is llvmpipe/,
    );
  });
});
