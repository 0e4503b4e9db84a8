/** The offline bundle: what it refuses, what goes into it, and what its launchers set. Whole ones are made by `npm run check -- bundle`. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pack } from '../../scripts/bundle/archive';
import { closure, type Part } from '../../scripts/bundle/closure';
import { contentsOf } from '../../scripts/bundle/contents';
import { addEnvironment, addLauncher } from '../../scripts/bundle/launchers';
import { systemVersions } from '../../scripts/bundle/node-program';
import { prepare, readOptions } from '../../scripts/bundle/options';
import { withTemporaryFolder } from '../../scripts/checks/workspace';

function write(path: string, text = ''): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

test('wrong calls and folders that are taken are refused with the way out', () =>
  withTemporaryFolder(async (folder) => {
    expect(() => readOptions([])).toThrow(/^one folder is needed, and 0 are given; npm run bundle -- --help/);
    expect(() => readOptions(['a', '--with-cuda'])).toThrow(/'--with-cuda'.*; npm run bundle -- --help/s);
    expect(() => readOptions(['a', '--with-vulkan', '--without-vulkan'])).toThrow(/both given; give one$/);
    expect(readOptions(['--help'])).toBeUndefined();
    write(join(folder, 'file'));
    expect(() => prepare(join(folder, 'file'))).toThrow(/is a file; name a folder$/);
    expect(() => prepare(folder)).toThrow(/is not empty; name another folder, or empty it$/);
    prepare(join(folder, 'new/one'));
  }));

test('what the program needs is found, once, at the place where it is found again', () => {
  const places = closure(['franca-train'], ['undici']).map(({ place }) => place);
  expect(places).toEqual(expect.arrayContaining(['node_modules/franca-train', 'node_modules/@franca/tensor']));
  expect(places).toContain('node_modules/webgpu');
  expect(new Set(places).size).toBe(places.length);
  expect(places.filter((place) => /undici|@types|vitest|typescript/.test(place))).toEqual([]);
  expect(() => closure(['no-such-package'])).toThrow(/^no-such-package is not installed, .*; run npm install first$/);
});

test('a package goes without what does not run, but never without its licence', () =>
  withTemporaryFolder(async (folder) => {
    const kept = ['LICENSE.md', 'dist/doc/a.js', 'package.json', 'prebuilds/linux-x64/a.node', 'win32.js'];
    const left = [
      'README.md',
      'a.d.ts',
      'a.js.map',
      'docs/a.js',
      'node_modules/b/b.js',
      'prebuilds/linux-x64-musl/a.node',
    ];
    for (const path of [...kept, ...left, 'prebuilds/darwin-arm64/a.node', '.eslintrc']) write(join(folder, path));
    const part: Part = {
      name: 'a',
      version: '1.0.0',
      licence: 'MIT',
      folder,
      place: 'node_modules/a',
      published: undefined,
    };
    expect(contentsOf(part)).toEqual(kept);
    expect(contentsOf({ ...part, published: ['dist'] })).toEqual(['dist/doc/a.js']);
  }));

test('the versions of libraries that binaries ask for are compared as numbers', () =>
  withTemporaryFolder(async (folder) => {
    write(join(folder, 'a'), '\0GLIBC_2.9\0GLIBC_2.34\0GLIBCXX_3.4.9\0 text about GLIBC_2.99 ');
    write(join(folder, 'b'), '\0GLIBCXX_3.4.30\0GLIBC_2.4\0');
    expect(systemVersions([join(folder, 'a'), join(folder, 'b')])).toEqual(['GLIBC_2.34', 'GLIBCXX_3.4.30']);
  }));

test('an archive is the same bytes whoever packs it, and one that is too large names its largest part', () =>
  withTemporaryFolder(async (folder) => {
    const packed = async (place: string): Promise<string> => {
      write(join(folder, place, 'top/node_modules/@scope/large/a.js'), 'a'.repeat(5000));
      write(join(folder, place, 'top/small'), '');
      if (place === 'one') chmodSync(join(folder, place, 'top/small'), 0o600);
      await pack(join(folder, place, 'top'), join(folder, `${place}.tar.xz`), 1e6, { xz: ['-1'] });
      return readFileSync(join(folder, `${place}.tar.xz`), 'base64');
    };
    expect(await packed('one')).toBe(await packed('two'));
    await expect(pack(join(folder, 'one/top'), join(folder, 'b.tar.xz'), 10, { xz: ['-1'] })).rejects.toThrow(
      /^b\.tar\.xz has 0\.0 MB and may have 0\.0 MB; .*\n +0\.0 MB {2}node_modules\/@scope\/large\n/,
    );
    expect(readdirSync(folder)).not.toContain('b.tar.xz');
  }));

describe('a launcher', () => {
  /** What it sets, for a program that prints its environment. */
  const started = (folder: string, called: string, env: Record<string, string> = {}): Record<string, string> => {
    addEnvironment(folder);
    addLauncher(folder, {
      name: 'show',
      about: 'Shows.',
      start: ['export CALLED="$program" HERE="$here"', 'exec /usr/bin/env'],
    });
    const text = execFileSync('/bin/sh', ['-c', `cd "${folder}" && exec "${called}"`], { env, encoding: 'utf8' });
    return Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  };

  test('finds its folder from anywhere, behind links and with spaces', () =>
    withTemporaryFolder(async (root) => {
      const folder = join(root, 'with a space');
      mkdirSync(folder);
      expect(started(folder, './show')).toMatchObject({ CALLED: './show', HERE: folder, HOME: '/tmp' });
      symlinkSync('show', join(folder, 'inner'));
      symlinkSync(join(folder, 'inner'), join(root, 'outer'));
      const env = { PATH: process.env.PATH!, HOME: '/home/me', UV_THREADPOOL_SIZE: '3' };
      expect(started(folder, '../outer', env)).toMatchObject({
        ...env,
        CALLED: '../outer',
        HERE: folder,
        PATH: `${folder}/bin:${env.PATH}`,
      });
    }));

  test('adds a library only where the system has none of its name', () =>
    withTemporaryFolder(async (folder) => {
      for (const name of ['libc.so.6', 'libother.so.1', 'libnone.so.1']) write(join(folder, 'lib', name, name));
      expect(started(folder, './show').LD_LIBRARY_PATH).toBe(`${folder}/lib/libnone.so.1:${folder}/lib/libother.so.1`);
      const own = join(folder, 'own folder');
      write(join(own, 'libother.so.1'));
      expect(started(folder, './show', { LD_LIBRARY_PATH: own }).LD_LIBRARY_PATH).toBe(
        `${own}:${folder}/lib/libnone.so.1`,
      );
    }));
});
