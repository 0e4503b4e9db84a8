/** What would be published: sound by publint and are-the-types-wrong (ESM only), and nothing in it that does not belong. */
import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import type { Published, Tarball } from './publish';

export async function checkTarballs({ tarballs }: Published): Promise<string[]> {
  return (await Promise.all(tarballs.map(tarballProblems))).flat();
}

async function tarballProblems({ folder, manifest, path, files }: Tarball): Promise<string[]> {
  const bytes = readFileSync(path);
  const { messages } = await publint({ pack: { tarball: Uint8Array.from(bytes).buffer }, strict: true });
  const strays = files.filter(
    (file) => !/^(dist\/|presets\/[\w-]+\.yaml$|README\.md|LICENSE|CHANGELOG\.md|package\.json$)/.test(file),
  );
  const missing = ['README.md', 'LICENSE'].filter((file) => !files.includes(file));
  const problems = [
    ...messages.map((message) => `publint: ${formatMessage(message, manifest)}`),
    ...(await typeProblems(bytes)).map((problem) => `are the types wrong: ${problem}`),
    ...strays.map((file) => `${file} should not be published`),
    ...missing.map((file) => `${file} is not in the tarball`),
  ];
  return problems.map((problem) => `${folder}: ${problem}`);
}

/** The packages are ESM only: what a CommonJS or pre-`exports` resolver makes of them is not asked. */
async function typeProblems(tarball: Uint8Array): Promise<string[]> {
  const result = await checkPackage(createPackageFromTarballData(tarball));
  if (!result.types) return ['it has no types'];
  const isLegacy = (problem: object) =>
    'resolutionKind' in problem && ['node10', 'node16-cjs'].includes(String(problem.resolutionKind));
  return result.problems.filter((problem) => !isLegacy(problem)).map((problem) => JSON.stringify(problem));
}
