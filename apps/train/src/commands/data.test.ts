import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeDtd, writeFood101, writeVoc2007 } from '../../../../packages/data/test/benchmark-files';
import { writeOpenOod, writeV2 } from '../../../../packages/data/test/imagenet-files';
import { run } from '../../test/in-process';
import { temporaryFolder } from '../../test/tiny-model';

let folder: string;
let picture: Uint8Array;
beforeEach(async () => {
  folder = await temporaryFolder();
  picture = await readFile(new URL('../../../../packages/data/generated-world.webp', import.meta.url));
});
afterEach(() => rm(folder, { recursive: true }));

/** What the command prints, which must succeed. */
async function told(...words: readonly string[]): Promise<string> {
  const { status, output } = await run('data', ...words);
  expect([status, output]).toEqual([0, expect.any(String)]);
  return output;
}

test('a published data set: parts against the published counts, classes, pictures, what evaluates it', async () => {
  writeFood101(join(folder, 'food-101'), { image: () => picture });
  const html = join(folder, 'food.html');
  const output = await told(folder, '--html', html);
  for (const line of [
    /^recognised as +benchmark: .*food-101 holds the files of Food-101: food-101\.tar\.gz unpacked/m,
    /^metric +top-1$/m,
    /^classes +3 of the published 101 \*: Apple pie, Baby back ribs, Waffles$/m,
    /^train +9 \* +75,750 +3 +3 +0$/m,
    /^test +3 \* +25,250 +3 +1 +0$/m,
    /^test {2}images\/waffles\/9000\.jpg: Waffles$/m,
    /^note: train has 9 of the published 75,750 images$/m,
    /eval fine-grained -w run -d /,
  ])
    expect(output).toMatch(line);
  expect(output).not.toContain('\x1b');
  const page = await readFile(html, 'utf8');
  expect(page.match(/<img src="data:image\/png/g)).toHaveLength(6);
  expect(page).toContain('<figcaption>Waffles</figcaption>');
});

test('images of several classes each, and pictures that cannot be read', async () => {
  writeVoc2007(folder);
  const output = await told(folder);
  expect(output).toMatch(/^metric +11-point-map$/m);
  expect(output).toMatch(/^train {2}.*: aeroplane, bicycle \(.*\)$/m);
  expect(output).not.toMatch(/eval knn/);
});

test('what lies below a folder of several', async () => {
  writeFood101(join(folder, 'food-101'));
  writeDtd(join(folder, 'dtd'));
  const output = await told(folder);
  expect(output).toMatch(/^holds +2 published data sets; counts are as published$/m);
  expect(output).toMatch(/^food-101 +Food-101 +.*food-101 +101 +75,750 +- +25,250 +top-1$/m);
  expect(output).toMatch(/ data .*dtd$/m);
  expect(output).toMatch(/eval fine-grained -w run -d /);
});

test('a test set only, and the lists of OpenOOD, with the evaluation that they are for', async () => {
  writeV2(join(folder, 'v2'));
  expect(await told(join(folder, 'v2'))).toMatch(/eval robustness -w run -d imagenet-1k --set imagenet-v2=.*v2$/m);
  writeOpenOod(join(folder, 'ood'), { image: () => picture });
  const output = await told(join(folder, 'ood'));
  expect(output).toMatch(
    /^with out of distribution +\d+ of 45,000 images of ImageNet; SSB-hard \(near\) \d+ of 49,000/m,
  );
  expect(output).toMatch(/eval ood -w run -d imagenet-1k --openood /);
});

test('a folder without parts, and what the generated world holds besides', async () => {
  for (const name of ['a/1', 'a/2', 'b/3']) {
    await mkdir(join(folder, name[0]!), { recursive: true });
    await writeFile(join(folder, `${name}.webp`), picture);
  }
  const plain = await told(folder);
  expect(plain).toMatch(/^parts +none of its own: .* --split held-out$/m);
  expect(plain).toMatch(/^all +3 +2 +1 to 2 +0$/m);
  expect(plain).toMatch(/eval knn -w run -d .* --split held-out$/m);
  const world = await told('world:length=8:size=32:classes=3');
  expect(world).toMatch(/^with masks +8 pictures of train, 8 of val, 4 classes$/m);
  for (const task of ['in-context', 'discover', 'correspondence']) expect(world).toMatch(new RegExp(`eval ${task} -w`));
});

test('nothing that is known ends with 2 and says what a data set is', async () => {
  await copyFile(new URL('../../../../packages/data/generated-world.webp', import.meta.url), join(folder, '1.webp'));
  for (const spec of [join(folder, 'none'), join(folder, '1.webp')]) {
    const { status, output } = await run('data', spec);
    expect([status, output]).toEqual([2, expect.stringMatching(/A data set is a folder of images/)]);
  }
});
