/**
 * What the packages cost in a bundle for browsers. Every entry that is for browsers bundles without a warning, leaves nothing behind where
 * nothing of it is used, and typical imports stay below a size.
 */
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/** Typical imports, with the bytes that they may take: minified, not packed. About a third above what they take today. */
const IMPORTS: readonly (readonly [code: string, limit: number])[] = [
  ["export { cosine } from '@franca/nn'", 300],
  ["export { sizeOf } from '@franca/tensor'", 300],
  ["export { add } from '@franca/tensor'", 24_000],
  ["export { compile, createState } from '@franca/tensor'", 109_000],
  ["export { openGpu } from '@franca/tensor/browser'", 10_000],
  ["export { loadVit } from '@franca/vit'", 245_000],
  ["export { sinkhorn } from '@franca/sinkhorn/arrays'", 4_000],
  ["export { cyclicMask } from '@franca/cyclic-mask'", 2_900],
  ["export { openSafetensors } from '@franca/checkpoint/bytes'", 23_000],
  ["export { preprocess } from '@franca/data/pixels'", 8_800],
  ["export { generatedScenes } from '@franca/data/pixels'", 33_000],
  ["export { colormapColour } from '@franca/viz'", 11_000],
];

/** Bytes of a package's own that may stay in a bundle which uses nothing of an entry: a few constants that no bundler sees through. */
const LEFT_LIMIT = 1024;

export interface Bundles {
  readonly problems: string[];
  /** Lines for the screen. */
  readonly sizes: string[];
}

/** Bundles in `folder`, where the packages are installed. `entries`: names such as `vit` and `sinkhorn/arrays`. */
export async function checkBundles(folder: string, entries: readonly string[]): Promise<Bundles> {
  const problems: string[] = [];
  const sizes: string[] = [];
  for (const entry of entries) problems.push(...(await entryProblems(folder, `@franca/${entry}`)));
  for (const [code, limit] of IMPORTS) {
    const { text } = await bundle(folder, code);
    const name = code.replace(/^export | from|'/g, '');
    sizes.push(`${name}: ${text.length} bytes, ${gzipSync(text).length} gzipped`);
    if (text.length > limit) problems.push(`${code}: ${text.length} bytes in a bundle, at most ${limit} are allowed`);
  }
  return { problems, sizes };
}

/** What is wrong with an entry, such as `@franca/vit`. */
export async function entryProblems(folder: string, entry: string): Promise<string[]> {
  try {
    const whole = await bundle(folder, `export * from '${entry}'`);
    const left = await bundle(folder, `import '${entry}'`, { plugins: [keepEffects(entry)] });
    const problems = whole.warnings.map((warning) => `${entry}: esbuild warns: ${warning}`);
    if (left.text.length > LEFT_LIMIT) {
      const what = `${left.text.length} bytes stay in a bundle that uses nothing of it; mark what is called at load as /* @__PURE__ */`;
      problems.push(`${entry}: ${what}: ${left.text.slice(0, 300)} ...`);
    }
    return problems;
  } catch (error) {
    return [`${entry}: ${(error as Error).message}`];
  }
}

interface Bundled {
  readonly text: string;
  readonly warnings: readonly string[];
}

/** One program for browsers as esbuild makes it. */
export async function bundle(folder: string, code: string, more: BuildOptions = {}): Promise<Bundled> {
  const { outputFiles, warnings } = await build({
    stdin: { contents: code, resolveDir: folder, loader: 'ts' },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
    ...more,
  });
  return { text: outputFiles?.[0]?.text ?? '', warnings: warnings.map(({ text }) => text) };
}

/** Takes the promise of a package that its files have no effects for unmade: what esbuild cannot prove to have none then stays. */
const keepEffects = (entry: string): Plugin => {
  const own = `/node_modules/${entry.split('/').slice(0, 2).join('/')}/`;
  return {
    name: 'keep effects',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path, pluginData, ...rest }) => {
        if (pluginData === 'resolved') return undefined;
        const result = await resolve(path, { ...rest, pluginData: 'resolved' });
        return result.path.includes(own) ? { ...result, sideEffects: true } : result;
      });
    },
  };
};
