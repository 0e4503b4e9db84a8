/** `franca-train compare` on records made here: what stands beside what, what is paired, and what is said where it is not. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countItems, type EvalRecord, hitItems, PAPER_SETTINGS, scoreItems } from '@franca/evals';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../test/in-process';
import { temporaryFolder } from '../../test/tiny-model';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

const ITEMS = 200;

/** A k-NN result that is wrong on every so many images. */
function knnRecord(features: string, wrongEvery: number, changes: Partial<EvalRecord> = {}): EvalRecord {
  const labels = new Int32Array(ITEMS).fill(1);
  const items = hitItems(
    labels.map((_, i) => Number(i % wrongEvery !== 0)),
    labels,
  );
  return {
    ...{
      dataset: 'photos',
      split: 'val',
      features,
      preprocessing: 'crop 224',
      task: 'knn',
      protocol: 'dinov2',
      variant: '',
    },
    ...{ evaluated: ITEMS, total: ITEMS, metric: 'top-1', value: 1 - Math.ceil(ITEMS / wrongEvery) / ITEMS },
    ...{ unit: 'share', others: {}, perClass: [], hyper: { k: 10, ks: [10, 20], trainItems: 1000 }, seeds: [] },
    ...{ selectedOn: 'test', quirks: false, wallMs: 1, items: { ...items, of: 'these' } },
    ...changes,
  } as const;
}

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** What the last comparison printed. */
let printed: string;
async function compare(...args: readonly string[]): Promise<number> {
  const { status, output } = await run('compare', ...args);
  printed = output;
  return status;
}

test('models stand side by side, the best marked, with the difference told from chance or said not to be', async () => {
  const first = await file('a.json', [knnRecord('A', 10), knnRecord('A', 10, { dataset: 'other' })]);
  const second = await file('b.json', [knnRecord('B', 5), knnRecord('B', 11, { dataset: 'other' })]);
  expect(await compare(first, second)).toBe(0);
  expect(printed).toMatch(/knn +top-1 +photos val +90\.0\* +80\.0\n/);
  expect(printed).toMatch(/knn +top-1 +other val +90\.0 +90\.5\*\n/);
  // 20 images on which only A is right: Bonett and Price of 0 and 20 of 200
  expect(printed).toMatch(/knn +photos val +B +-10\.0 \[-14\.2, -5\.6\]\n/);
  expect(printed).toMatch(/knn +other val +B +\+0\.5 \[-5\.4, \+6\.4\] not resolved\n/);
  expect(printed).toContain('1 of 2 differences are resolved, 1 are not, 0 are not paired');
});

test('results that cannot be paired are compared by value and say why', async () => {
  const { items, ...older } = knnRecord('B', 5);
  const cases: [Partial<EvalRecord> | undefined, string][] = [
    [undefined, 'no results per item'],
    [{ items: { ...items!, of: 'those' } }, 'other images, or in another order'],
    [{ items: { ...items!, of: undefined } }, 'the names of the items are not known'],
    [{ value: 0.7 }, 'results per item make another value than the record says'],
    [{ items: { ...items!, data: 'AAAA' } }, 'results of items are none: 4 characters where'],
  ];
  for (const [changes, why] of cases) {
    const second = await file('b.json', [changes ? { ...knnRecord('B', 5), ...changes } : older]);
    expect(await compare(await file('a.json', [knnRecord('A', 10)]), second)).toBe(0);
    expect(printed).toContain(`not paired: ${why}`);
    expect(printed).toContain('1 are not paired');
  }
});

test('an interval that leaves out 0 is not enough where the exact test says otherwise', async () => {
  // of 40 images 9 on which only A is right, 2 on which only B is: p = 2 (1 + 11 + 55) / 2^11
  const like = (features: string, isWrong: (i: number) => boolean) => {
    const hits = Array.from({ length: 40 }, (_, i) => Number(!isWrong(i)));
    const items = hitItems(
      hits,
      hits.map(() => 1),
    );
    const value = hits.reduce((sum, hit) => sum + hit, 0) / 40;
    return knnRecord(features, 5, { evaluated: 40, total: 40, value, items: { ...items, of: 'these' } });
  };
  const first = await file('a.json', [like('A', (i) => i < 2)]);
  expect(await compare(first, await file('b.json', [like('B', (i) => i >= 2 && i < 11)]))).toBe(0);
  expect(printed).toContain('-17.5 [-32.7, -0.6] not resolved, p 0.065');
});

test('settings that differ within a row are named; what an evaluation found by itself is none', async () => {
  const second = knnRecord('B', 5, {
    preprocessing: 'crop 48',
    hyper: { k: 20, ks: [10, 20], trainItems: 800, backend: 'other' },
  });
  expect(await compare(await file('a.json', [knnRecord('A', 10)]), await file('b.json', [second]))).toBe(0);
  expect(printed).toContain('note: differs in knn: input: crop 224 (A); crop 48 (B)');
  expect(printed).toContain('note: differs in knn: trainItems: 1000 (A); 800 (B)');
  expect(printed).not.toMatch(/differs in knn: (k|backend|ks)\b/);
});

test('two files of one model with the same figure are two models; names and reference can be given', async () => {
  const paths = [await file('early.json', [knnRecord('run', 5)]), await file('late.json', [knnRecord('run', 10)])];
  const more = await file('more.json', [knnRecord('run', 10, { task: 'linear' })]);
  expect(await compare(...paths, '--against', 'run (late)')).toBe(0);
  expect(printed).toMatch(/run \(early\) +run \(late\)\n/);
  expect(printed).toMatch(/difference to run \(late\)\nknn +photos val +run \(early\) +-10\.0/);
  expect(await compare(paths[0]!, more)).toBe(0);
  expect(printed).toMatch(/data set +run\n/);
  expect(await compare(...paths, '--name', 'first,second')).toBe(0);
  expect(printed).toMatch(/first +second\n/);
  for (const [args, message] of [
    [['--name', 'one'], '--name one has 1 names for 2 models; give one for each of run (early), run (late)'],
    [['--name', 'x,x'], 'has 1 names for 2 models'],
    [['--against', 'nobody'], '--against nobody is none of the models; they are run (early), run (late)'],
    [[paths[0]!], 'is given twice'],
  ] as const) {
    expect(await compare(...paths, ...args)).toBe(2);
    expect(printed).toContain(message);
  }
});

test('a variant that follows from the depth or the side of a model stands beside that of the others', async () => {
  const like = (features: string, variants: readonly string[]) =>
    variants.map((variant) => knnRecord(features, 5, { task: 'correspondence', metric: 'recall@0.10', variant }));
  const first = await file('a.json', like('A', ['all, low', 'all, 448 px']));
  const second = await file('b.json', like('B', ['all, 48 px', 'all, 96 px', 'all, 448 px']));
  expect(await compare(first, second)).toBe(0);
  expect(printed).toMatch(/correspondence, all, low \/ 48 px +recall@0\.10 +photos val +80\.0\* +80\.0\*\n/);
  expect(printed).toMatch(/correspondence, all, 448 px +recall@0\.10 +photos val +80\.0\* +80\.0\*\n/);
  expect(printed).toMatch(/correspondence, all, 96 px +recall@0\.10 +photos val +80\.0\n/);
});

test('what is no file of records is refused by its name, and nothing is written', async () => {
  const good = await file('good.json', [knnRecord('A', 10)]);
  const record = knnRecord('B', 5);
  const cases: [unknown, string][] = [
    ['{', 'is no JSON'],
    [{}, 'is no list of records'],
    [[], 'is no list of records'],
    [[null], 'record 1 of'],
    [[record, 7], 'record 2 of'],
    [[{ ...record, metric: 5 }], 'metric is 5'],
    [[{ ...record, value: 'high' }], 'value is "high"'],
    [[{ ...record, unit: 'percent' }], 'unit is "percent"'],
    [[{ ...record, evaluated: -1 }], 'evaluated is -1'],
    [[{ ...record, notes: [1] }], 'notes are no texts'],
    [[{ ...record, hyper: [] }], 'hyper is []'],
    [[{ ...record, others: { a: 'b' } }], 'others are no numbers'],
    [[{ ...record, selectedOn: 'luck' }], 'selectedOn is "luck"'],
  ];
  const page = join(folder, 'never.html');
  for (const [content, message] of cases) {
    expect(await compare(good, await file('bad.json', content), '--html', page), message).toBe(1);
    expect(printed).toContain(join(folder, 'bad.json'));
    expect(printed).toContain(message);
  }
  expect(await compare(good, join(folder, 'nowhere.json'))).toBe(1);
  expect(printed).toContain('nowhere.json cannot be read (ENOENT)');
  await expect(readFile(page)).rejects.toThrow('ENOENT');
  expect(await compare(good, '--json', good)).toBe(1);
  expect(printed).toContain('would replace what is read');
});

test("the paper's values stand beside rows of which every result is as the paper's", async () => {
  const paper = { dataset: 'voc-2012', task: 'in-context-segmentation', protocol: 'hummingbird', metric: 'mIoU' };
  const items = {
    ...countItems(
      [...Array(1449)].map(() => [0, 1, 2, 1]),
      { classes: 1 },
    ),
    of: 'voc',
  };
  const record = (features: string, settings: string) =>
    knnRecord(features, 2, { ...paper, evaluated: 1449, total: 1449, hyper: { settings }, value: 0.5, items });
  const first = await file('a.json', [record('A', PAPER_SETTINGS)]);
  expect(await compare(first, await file('b.json', [record('B', PAPER_SETTINGS)]))).toBe(0);
  expect(printed).toContain('paper: Franca-B');
  expect(printed).toContain('75.7');
  expect(await compare(first, await file('b.json', [record('B', 'own')]))).toBe(0);
  expect(printed).not.toContain('paper: Franca-B');
  expect(printed).toContain("settings: the paper's (A); own (B)");
});

test('the page has the tables of the paper, its charts and all differences; the files have every number', async () => {
  const model = (features: string, wrongEvery: number): EvalRecord[] => {
    const like = (changes: Partial<EvalRecord>) => knnRecord(features, wrongEvery, changes);
    const ood = { task: 'ood', protocol: 'openood-v1.5', metric: 'AUROC' };
    const foreign = (name: string, confident: number) => {
      const items = scoreItems([0.9, 0.8, 0.7, 0.6, 0.5], [0.1, 0.2, 0.3, 0.4, confident]);
      const value = 1 - [0.9, 0.8, 0.7, 0.6, 0.5].filter((inside) => inside < confident).length / 25;
      const own = { variant: `msp against ${name}`, value, hyper: { outside: name }, items: { ...items, of: name } };
      return like({ ...ood, ...own });
    };
    const near = [foreign('ninco', wrongEvery === 10 ? 0.55 : 0.95), foreign('ssb', 0.05)];
    const mean = (near[0]!.value + near[1]!.value) / 2;
    return [
      like({}),
      ...['dtd', 'cars'].map((dataset) => like({ task: 'logistic-regression', dataset })),
      ...[21, 100].map((clusters) =>
        like({
          ...{ task: 'overclustering', variant: `${clusters} clusters`, metric: 'mIoU', value: clusters / 1000 },
          ...{ hyper: { clusters }, items: undefined },
        }),
      ),
      ...near,
      foreign('textures', 0.05),
      like({ ...ood, variant: 'msp near', value: mean, hyper: { outside: ['ninco', 'ssb'] }, items: undefined }),
      like({ task: 'correspondence', variant: 'all', metric: 'recall@0.10' }),
    ];
  };
  const [html, json, csv] = ['page.html', 'out.json', 'out.csv'].map((name) => join(folder, name));
  const files = [await file('a.json', model('A, the first', 10)), await file('b.json', model('B', 5))];
  expect(await compare(...files, '--html', html!, '--json', json!, '--csv', csv!)).toBe(0);
  const page = await readFile(html!, 'utf8');
  for (const part of [
    'as Table 2',
    'as Table 3',
    'as Table 4',
    'as Fig. 8',
    'as Fig. 10',
    'Other results',
    'not resolved',
  ])
    expect(page).toContain(part);
  expect(page).toContain('average of 2');
  expect(page).toContain('nothing is corrected for how many there are');
  // means are those of the records, each once
  expect(page).toContain('mean of near');
  expect(page).not.toContain('mean of far');
  expect(page.match(/<tr[^>]*><td>photos val<\/td><td>msp<\/td>/g)).toHaveLength(4);
  expect(page).toContain('<td class="bold">90.0</td>');
  expect(page).not.toContain(hitItems([1], [1]).data);

  const { models, against, rows } = JSON.parse(await readFile(json!, 'utf8'));
  expect(models.map(({ name }: { name: string }) => name)).toEqual(['A, the first', 'B']);
  expect(against).toBe('A, the first');
  expect(rows[0]).toMatchObject({ task: 'knn', values: { 'A, the first': 0.9, B: 0.8 }, best: ['A, the first'] });
  expect(rows[0].differences.B).toMatchObject({ paired: true, resolved: true, pValue: expect.closeTo(2 ** -19, 12) });
  const lines = (await readFile(csv!, 'utf8')).split('\r\n');
  expect(lines).toHaveLength(1 + 2 * rows.length + 1);
  expect(lines[1]).toBe('knn,dinov2,,photos,val,top-1,"A, the first",200,0.9,,,,,,,');
  expect(lines[2]).toMatch(
    /^knn,dinov2,,photos,val,top-1,B,200,0.8,"A, the first",-0.1,-0.14\d+,-0.05\d+,0.0000019\d+,true,$/,
  );
});

test('of errors in metres the smaller one is marked', async () => {
  const depth = (features: string, value: number) =>
    knnRecord(features, 5, { task: 'depth', metric: 'SI-RMSE', unit: 'number', value, items: undefined });
  const json = join(folder, 'depth.json');
  const files = [await file('near.json', [depth('A', 0.3)]), await file('far.json', [depth('B', 0.5)])];
  expect(await compare(...files, '--json', json)).toBe(0);
  const { rows } = JSON.parse(await readFile(json, 'utf8'));
  expect(rows[0].best).toEqual(['A']);
});

test('the mean over sets that a record holds is a column, and no member of another average', async () => {
  const model = (features: string) => [
    ...['dtd', 'food-101'].map((dataset) => knnRecord(features, 5, { task: 'logistic-regression', dataset })),
    knnRecord(features, 5, { task: 'logistic-regression', dataset: 'fine-grained', metric: 'mean over sets' }),
  ];
  const html = join(folder, 'means.html');
  expect(await compare(await file('a.json', model('A')), await file('b.json', model('B')), '--html', html)).toBe(0);
  const page = await readFile(html, 'utf8');
  expect(page).toContain('mean over sets');
  expect(page).not.toContain('average of');
});
