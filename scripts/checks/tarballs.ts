/**
 * What would be published: sound by publint and are-the-types-wrong (ESM only), taken by `npm publish` without a correction, nothing in it that
 * does not belong, and the pictures that its README shows.
 */
import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import type { Published, Tarball } from './publish';
import { readText, run } from './workspace';

export async function checkTarballs({ tarballs }: Published): Promise<string[]> {
  return (await Promise.all(tarballs.map(tarballProblems))).flat();
}

async function tarballProblems({ folder, manifest, path, files }: Tarball): Promise<string[]> {
  const bytes = readFileSync(path);
  const { messages } = await publint({ pack: { tarball: Uint8Array.from(bytes).buffer }, strict: true });
  const pictures = [...readText(`${folder}/README.md`).matchAll(/!\[[^\]]*\]\((?![a-z]+:)([^)#\s]+)/g)].map(
    ([, file = '']) => file,
  );
  const strays = files.filter(
    (file) =>
      !/^(dist\/|bin\/[\w-]+\.cjs$|tuning\/[\w.-]+\.(json|md)$|ts5\/\w+\.d\.ts$|presets\/[\w-]+\.yaml$|cluster\/[\w-]+\.sbatch$|many-machines\.md$|README\.md|LICENSE|CHANGELOG\.md|package\.json$)/.test(
        file,
      ) && !pictures.includes(file),
  );
  const missing = ['README.md', 'LICENSE', ...pictures].filter((file) => !files.includes(file));
  const problems = [
    ...messages.map((message) => `publint: ${formatMessage(message, manifest)}`),
    ...(await typeProblems(bytes)).map((problem) => `are the types wrong: ${problem}`),
    ...(await publishProblems(path)),
    ...strays.map((file) => `${file} should not be published`),
    ...missing.map((file) => `${file} is not in the tarball`),
  ];
  return problems.map((problem) => `${folder}: ${problem}`);
}

/** What `npm publish` would say, short of doing it: what it corrects in the manifest, above all. */
async function publishProblems(path: string): Promise<string[]> {
  const { ok, output } = await run('npm', ['publish', '--dry-run', '--loglevel=warn', path]);
  const warnings = output
    .split('\n')
    .filter((line) => /^npm (warn|error) publish (?!This command requires you to be logged in)/.test(line));
  return ok ? warnings : [...warnings, `npm publish --dry-run: ${output.trim()}`];
}

/** The packages are ESM only: what a CommonJS or pre-`exports` resolver makes of them is not asked. */
async function typeProblems(tarball: Uint8Array): Promise<string[]> {
  const result = await checkPackage(createPackageFromTarballData(tarball));
  if (!result.types) return ['it has no types'];
  const isLegacy = (problem: object) =>
    'resolutionKind' in problem && ['node10', 'node16-cjs'].includes(String(problem.resolutionKind));
  return result.problems.filter((problem) => !isLegacy(problem)).map((problem) => JSON.stringify(problem));
}
