/**
 * The API reference as a static site, `npm run docs`: one module for each entry of each package, with the package's README as its page. Written
 * by TypeDoc from the sources, into a folder that git ignores; what it warns of (a broken link, a type that is spoken of and not exported) fails.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  Application,
  Converter,
  type DeclarationReflection,
  MinimalSourceFile,
  normalizePath,
  type ProjectReflection,
} from 'typedoc';
import { entriesOf, publishedWorkspaces, root } from './checks/workspace';

const OUT = 'api';

/** Spoken of and not exported on purpose: arithmetic of types, a mark between copies, a list of which only the type is of interest. */
const NOT_EXPORTED: Readonly<Record<string, string[]>> = {
  '@franca/tensor': ['PathsOf', 'SurePath', 'Copy'],
  '@franca/data': ['IMAGE_CODES'],
};

interface Entry {
  /** `@franca/vit`, `@franca/tensor/node`. */
  readonly name: string;
  readonly file: string;
  /** Of its package; the main entry shows it. */
  readonly readme: string | undefined;
}

const PACKAGES = publishedWorkspaces().filter(({ folder }) => folder.startsWith('packages/'));

const ENTRIES: readonly Entry[] = PACKAGES.flatMap((workspace) =>
  entriesOf(workspace).map(({ name, source }) => ({
    name: `@franca/${name}`,
    file: join(root, source),
    readme: source.endsWith('/index.ts') ? join(root, workspace.folder, 'README.md') : undefined,
  })),
);

const app = await Application.bootstrap({
  name: 'Franca in TypeScript on WebGPU',
  entryPoints: ENTRIES.map(({ file }) => file),
  tsconfig: join(root, 'tsconfig.json'),
  readme: 'none',
  out: join(root, OUT),
  disableSources: true,
  disableGit: true,
  excludeInternal: true,
  skipErrorChecking: true,
  treatWarningsAsErrors: true,
  githubPages: false,
  ignoredHighlightLanguages: ['mermaid'],
});

app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  showReadme(project, join(root, 'README.md'), project);
  for (const module of project.children ?? []) {
    const file = project.getSymbolIdFromReflection(module)?.fileName;
    const entry = ENTRIES.find((candidate) => normalizePath(candidate.file) === file);
    if (!entry) continue;
    module.name = entry.name;
    if (entry.readme) showReadme(project, entry.readme, module);
  }
});

/** Puts a README on a page, and has links to it, or to its folder, lead there. The heading of the page is the site's; other folders have no page. */
function showReadme(project: ProjectReflection, path: string, page: ProjectReflection | DeclarationReflection): void {
  const folder = dirname(path);
  const text = readFileSync(path, 'utf8')
    .replace(/^# .*\n/, '')
    .replace(/\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)\)/g, (link, label, target) =>
      isOtherFolder(join(folder, target)) ? label : link,
    );
  page.readme = app.converter.parseRawComment(new MinimalSourceFile(text, normalizePath(path)), project.files).content;
  for (const place of [path, folder]) project.files.registerReflectionPath(normalizePath(place), page);
}

const isOtherFolder = (path: string): boolean =>
  (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false) &&
  !ENTRIES.some(({ readme }) => readme && dirname(readme) === path);

const project = await app.convert();
if (project) {
  for (const { manifest } of PACKAGES) {
    // types of other packages than the project's own are not looked at
    project.packageName = manifest.name;
    app.options.setValue('intentionallyNotExported', NOT_EXPORTED[manifest.name] ?? []);
    app.validate(project);
  }
  await app.generateOutputs(project);
}
const { errorCount, warningCount } = app.logger;
if (!project || errorCount + warningCount > 0) process.exitCode = 1;
else console.log(`the reference is in ${OUT}/index.html`);
