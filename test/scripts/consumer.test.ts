import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { serveRegistry } from '../../scripts/checks/consumer/registry';
import { sectionsOf, tooNew } from '../../scripts/checks/consumer/snippets';
import { pageFields } from '../../scripts/repository';

const folder = mkdtempSync(join(tmpdir(), 'registry-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fence = (kind: string, ...lines: string[]): string => [`\`\`\`${kind}`, ...lines, '```', ''].join('\n');

describe('a README', () => {
  test('falls into sections, each an install line and what follows it', () => {
    const readme = [
      fence('sh', 'npm install @franca/a'),
      fence('ts', 'one();'),
      fence('ts browser', 'two();'),
      fence('sh', 'npm install @franca/a webgpu   # for a GPU'),
      fence('ts', 'three();'),
    ].join('\n');
    const sections = sectionsOf('README.md', readme);
    expect(sections.map(({ packages }) => packages)).toEqual([['@franca/a'], ['@franca/a', 'webgpu']]);
    expect(sections.map(({ snippets }) => snippets.map(({ name, runs }) => [name, runs]))).toEqual([
      [
        ['block-1', true],
        ['block-2', false],
      ],
      [['block-3', true]],
    ]);
  });

  test('shows `using` only where it says so', () => {
    const readme =
      fence('ts', 'await using gpu = await openGpu();') +
      fence('ts using', 'using state = f();') +
      fence('ts', '// using it');
    expect(tooNew('README.md', readme)).toEqual([expect.stringMatching(/^README.md, block 1: /)]);
  });
});

test('a registry gives the first version of a package as the latest, its tarball, and nothing that it does not have', async () => {
  const release = (version: string) => {
    const path = join(folder, `${version}.tgz`);
    writeFileSync(path, version);
    return { manifest: { name: '@franca/a', version }, path };
  };
  const registry = await serveRegistry([release('0.1.0')]);
  registry.add(release('0.2.0'));
  const answer = await fetch(`${registry.url}@franca%2fa`);
  const record = await answer.json();
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(record['dist-tags']).toEqual({ latest: '0.1.0' });
  expect(Object.keys(record.versions)).toEqual(['0.1.0', '0.2.0']);
  expect(await (await fetch(record.versions['0.2.0'].dist.tarball)).text()).toBe('0.2.0');
  expect((await fetch(`${registry.url}@franca%2fb`)).status).toBe(404);
});

test('the page of a package leads to its folder in the repository, if there is one', () => {
  expect(pageFields('packages/vit', 'https://example.org/a/b')).toEqual({
    homepage: 'https://example.org/a/b/tree/main/packages/vit#readme',
    bugs: { url: 'https://example.org/a/b/issues' },
    repository: { type: 'git', url: 'git+https://example.org/a/b.git', directory: 'packages/vit' },
  });
  expect(JSON.stringify(pageFields('packages/vit', undefined))).toBe('{}');
});
