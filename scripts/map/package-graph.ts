/**
 * The picture of the packages in README.md, from their package.json files. An arrow points to what a package imports; one that already
 * follows from others is left out.
 */
import { publishedWorkspaces, readText } from '../checks/workspace';

const MARKED = /(<!-- graph: npm run map -->\n)[\s\S]*?(<!-- \/graph -->)/;

/** README.md with the picture as it should be now. */
export function readmeWithGraph(): string {
  return readText('README.md').replace(MARKED, `$1\n\`\`\`mermaid\n${mermaid()}\n\`\`\`\n\n$2`);
}

function mermaid(): string {
  const packages = publishedWorkspaces().map(({ manifest }) => manifest);
  const names = packages.map(({ name }) => name);
  const imports = new Map(
    packages.map(({ name, dependencies = {}, peerDependencies = {} }) => [
      name,
      Object.keys({ ...dependencies, ...peerDependencies })
        .filter((other) => names.includes(other))
        .sort(),
    ]),
  );
  const reaches = (from: string, to: string): boolean =>
    (imports.get(from) ?? []).some((next) => next === to || reaches(next, to));
  const lines = ['graph TD'];
  for (const [name, targets] of imports) {
    lines.push(`  ${name.replace('@franca/', '')}`);
    for (const target of targets) {
      const isImplied = targets.some((other) => other !== target && reaches(other, target));
      if (!isImplied) lines.push(`  ${name.replace('@franca/', '')} --> ${target.replace('@franca/', '')}`);
    }
  }
  return lines.join('\n');
}
