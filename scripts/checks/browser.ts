/**
 * The packages in a browser: every entry that is for browsers bundles, with esbuild and with vite, and what a page computes with them in
 * Chromium is what the same file computes in Node.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { type Rolldown, build as viteBuild } from 'vite';
import { sharedData } from '../../test/support/shared';
import { CLASSIFIED, type Numbers, type PageOutcome } from './browser/outcome';
import { bundle, checkBundles } from './bundles';
import { outcomesInChromium } from './chromium';
import { isBrowserEntry } from './layers';
import type { Published } from './publish';
import { entriesOf, root, run } from './workspace';

/**
 * Largest difference over the largest value of a part. Both sides compute in f32, with kernels that the adapter chooses and so with sums in
 * another order: a few roundings of 6e-8 in each of some tens of dependent operations.
 */
const TOLERANCE = 1e-5;

export async function checkBrowser({ tarballs, project }: Published): Promise<string[]> {
  const packages = tarballs.filter(({ folder }) => folder.startsWith('packages/'));
  const entries = packages.flatMap(entriesOf).map(({ name }) => name);
  const folder = join(project, 'browser');
  copyPrograms(folder);
  const { problems, sizes } = await checkBundles(folder, entries.filter(isBrowserEntry));
  const page = await bundle(folder, "import './page'", { minify: false });
  const built = await withVite(folder);
  const classifier = classifierFiles();
  const expected = await inNode(folder, classifier ? [classifier.weights, classifier.pictures] : []);
  const [first, second, insecure] = await outcomesInChromium<PageOutcome>([
    { script: page.text, ...(classifier && { files: classifier }) },
    { script: built.script },
    { script: page.text, insecure: true },
  ]);
  const [own, vite] = [compare(first, expected), compare(second, withoutClassifier(expected))];
  own.lines.push(
    classifier
      ? `  its classes: ${classesOf(first?.numbers)}`
      : `  left out: ${CLASSIFIED} (needs shared/data/deit-tiny)`,
  );
  if (classifier && classesOf(first?.numbers) !== GOLDEN_CLASSES)
    own.problems.push(`the classes are not ${GOLDEN_CLASSES}`);
  console.log([...sizes, ...own.lines].map((line) => `     ${line}`).join('\n'));
  return [
    ...problems,
    ...[...page.warnings, ...built.warnings].map((warning) => `the page: ${warning}`),
    ...own.problems.map((problem) => `bundled by esbuild: ${problem}`),
    ...vite.problems.map((problem) => `bundled by vite: ${problem}`),
    ...(/^adapter: .*serve this page by https/.test(insecure?.error ?? '')
      ? []
      : [`an insecure page is not told why there is no WebGPU, but: ${JSON.stringify(insecure)}`]),
  ];
}

/** The page and its counterpart, beside the installed packages. */
function copyPrograms(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const sources = join(root, 'scripts/checks/browser');
  for (const name of readdirSync(sources)) copyFileSync(join(sources, name), join(folder, name));
}

/** The page as vite builds it, one file, and what vite had to say. */
async function withVite(folder: string): Promise<{ script: string; warnings: string[] }> {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(`vite warns: ${message}`);
  const result = (await viteBuild({
    root: folder,
    configFile: false,
    logLevel: 'warn',
    customLogger: { ...SILENT, warn, warnOnce: warn, error: warn },
    build: {
      write: false,
      target: 'es2022',
      chunkSizeWarningLimit: Number.POSITIVE_INFINITY,
      lib: { entry: join(folder, 'page.ts'), formats: ['es'] },
    },
  })) as Rolldown.RolldownOutput[];
  return { script: result[0]?.output[0].code ?? '', warnings };
}

const SILENT = {
  info() {},
  clearScreen() {},
  hasErrorLogged: () => false,
  hasWarned: false,
};

/** DeiT-Tiny and its golden pictures, where they lie beside the checkout. */
function classifierFiles(): { readonly weights: string; readonly pictures: string } | undefined {
  const folder = sharedData('deit-tiny');
  if (!folder) return undefined;
  return { weights: join(folder, 'deit_tiny_patch16_224.safetensors'), pictures: join(folder, 'golden.safetensors') };
}

/** The likeliest class of each of the golden pictures: tench, golden retriever, church. */
const GOLDEN_CLASSES = '0, 207, 497';

/** The likeliest of a thousand classes, picture by picture. */
function classesOf(numbers: Numbers = {}): string {
  const logits = numbers[CLASSIFIED] ?? [];
  const pictures = Array.from({ length: logits.length / 1000 }, (_, i) => logits.slice(1000 * i, 1000 * (i + 1)));
  return pictures.map((scores) => scores.indexOf(Math.max(...scores))).join(', ');
}

const withoutClassifier = ({ [CLASSIFIED]: _, ...rest }: Numbers): Numbers => rest;

/** What Node computes with the same file. */
async function inNode(folder: string, classifier: readonly string[]): Promise<Numbers> {
  for (const name of ['outcome', 'numbers', 'in-node']) {
    const source = readFileSync(join(folder, `${name}.ts`), 'utf8');
    const { code } = await transform(source, { loader: 'ts', target: 'node20' });
    writeFileSync(join(folder, `${name}.mjs`), code.replace(/from "(\.\/\w+)"/g, 'from "$1.mjs"'));
  }
  const file = join(folder, 'in-node.json');
  const { ok, output } = await run(process.execPath, [join(folder, 'in-node.mjs'), file, ...classifier], {
    cwd: folder,
    timeout: 120_000,
  });
  if (!ok) throw new Error(`in Node: ${output.trim()}`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** What differs, and lines for the screen. */
function compare(outcome: PageOutcome | undefined, expected: Numbers): { problems: string[]; lines: string[] } {
  if (!outcome?.numbers) return { problems: [outcome?.error ?? 'the page left no numbers'], lines: [] };
  const { numbers, adapter, family, milliseconds = 0, lost } = outcome;
  const problems: string[] = [];
  const lines = [
    `Chromium (${adapter}): ${(milliseconds / 1000).toFixed(1)} s, largest difference from Node over the largest value`,
  ];
  for (const [name, values] of Object.entries(expected)) {
    const difference = largestDifference(numbers[name] ?? [], values);
    lines.push(`  ${name}: ${difference.toExponential(1)} over ${values.length} values`);
    if (!(difference <= TOLERANCE)) problems.push(`${name} differs from Node by ${difference}, more than ${TOLERANCE}`);
  }
  if (family !== 'cpu') problems.push(`${adapter} is taken for a ${family}, but computes on the processor`);
  if (lost !== 'device-lost') problems.push(`a lost device is met with ${lost}`);
  return { problems, lines };
}

/** NaN where there are other values, none, or one that is no number. */
function largestDifference(actual: readonly number[], expected: readonly number[]): number {
  if (actual.length !== expected.length || expected.length === 0) return Number.NaN;
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!))) / largest;
}
