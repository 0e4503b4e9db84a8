/**
 * A Mesa that offers subgroup matrices on the processor, beside that of the system: Debian's unstable packages with all they need, down to libc, unpacked
 * into the user's cache (`$XDG_CACHE_HOME/franca`). Nothing is installed. Node runs on it by a script that starts it with that libc.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NoNewerMesa } from './errors';
import { run } from './workspace';

const PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1', 'libstdc++6'];
const LIBRARIES = 'root/usr/lib/x86_64-linux-gnu';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The program to use in place of `node`. Fetches 70 MB the first time; @throws NoNewerMesa */
export async function nodeOnNewerMesa(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'franca');
  const folder = join(cache, 'newer-mesa');
  if (!existsSync(folder)) {
    if (process.platform !== 'linux' || process.arch !== 'x64') throw new NoNewerMesa('this is not Linux on x64');
    mkdirSync(cache, { recursive: true });
    const partial = mkdtempSync(`${folder}-`);
    try {
      await unpackPackages(partial);
      // another process may have been faster: its folder is as good
      if (!existsSync(folder)) renameSync(partial, folder);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  const node = writeStart(folder);
  if (!(await run(node, ['--input-type=module', '-e', PROBE], { timeout: 60_000 })).ok)
    throw new NoNewerMesa(`Mesa of ${folder} does not answer, or offers no subgroup matrices`);
  return node;
}

const PROBE = `import { create } from 'webgpu';
const gpu = create(['enable-dawn-features=allow_unsafe_apis,use_vulkan_memory_model']);
const { subgroupMatrixConfigs = [] } = (await gpu.requestAdapter()).info;
const fit = [...subgroupMatrixConfigs].some((shape) => shape.componentType === 'f16' && shape.resultComponentType === 'f32');
process.exit(fit ? 0 : 1);`;

async function unpackPackages(folder: string): Promise<void> {
  writeFileSync(join(folder, 'unstable.sources'), await unstableSource());
  // as on a machine that has nothing, so that everything comes along
  const [status, lists, archives] = ['status', 'lists/partial', 'archives/partial'].map((name) => join(folder, name));
  writeFileSync(status!, '');
  for (const path of [lists!, archives!]) mkdirSync(path, { recursive: true });
  const settings = {
    'Dir::State': folder,
    'Dir::State::status': status,
    'Dir::Cache': folder,
    'Dir::Etc::SourceList': join(folder, 'unstable.sources'),
    'Dir::Etc::SourceParts': '-',
    'Dir::Etc::Preferences': '-',
    'Dir::Etc::PreferencesParts': '-',
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
    'Acquire::Retries': 1,
    'Acquire::http::Timeout': 15,
    'Acquire::https::Timeout': 15,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await must('apt-get', ['-q', ...options, 'update']);
  await must('apt-get', ['-q', ...options, '-y', '--no-install-recommends', '--download-only', 'install', ...PACKAGES]);
  const downloaded = readdirSync(join(folder, 'archives')).filter((name) => name.endsWith('.deb'));
  for (const name of downloaded) await must('dpkg-deb', ['-x', join(folder, 'archives', name), join(folder, 'root')]);
  for (const name of ['archives', 'lists']) rmSync(join(folder, name), { recursive: true });
}

/** Debian's unstable, on the mirror that this machine already uses. */
async function unstableSource(): Promise<string> {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const [, codename] = /^VERSION_CODENAME="?(\w+)/m.exec(release) ?? [];
  if (!/^ID="?debian"?$/m.test(release) || !codename) throw new NoNewerMesa('this is not Debian');
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const targets = await must('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const main = targets.split('\n').map((line) => line.split(' '));
  const mirror = main.find(([, suite, component]) => suite === codename && component === 'main')?.[0];
  if (!mirror) throw new NoNewerMesa(`apt knows no mirror of ${codename}`);
  return `Types: deb\nURIs: ${mirror}\nSuites: sid\nComponents: main\nSigned-By: ${KEYRING}\n`;
}

/**
 * Writes what starts this Node, which may be another one than last time, on what was unpacked, and returns it. Programs that start Node again by
 * `process.execPath` start it the same way.
 */
function writeStart(folder: string): string {
  const node = join(folder, 'node');
  const write = (name: string, text: string): void => {
    // in one go, for whoever reads it at the same time
    const partial = join(folder, `${name}-${process.pid}`);
    writeFileSync(partial, text, { mode: 0o755 });
    renameSync(partial, join(folder, name));
  };
  const manifest = {
    file_format_version: '1.0.1',
    ICD: { api_version: '1.4.0', library_path: join(folder, LIBRARIES, 'libvulkan_lvp.so') },
  };
  write('lavapipe.json', JSON.stringify(manifest));
  write('start.cjs', `process.execPath = ${JSON.stringify(node)};\n`);
  const script = `#!/bin/sh
export VK_DRIVER_FILES=${quoted(join(folder, 'lavapipe.json'))} FRANCA_SETUP_DONE=1
exec ${quoted(join(folder, 'root/usr/lib64/ld-linux-x86-64.so.2'))} --library-path ${quoted(join(folder, LIBRARIES))} ${quoted(process.execPath)} -r ${quoted(join(folder, 'start.cjs'))} "$@"
`;
  write('node', script);
  return node;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

async function must(program: string, args: string[]): Promise<string> {
  const { ok, output } = await run(program, args, { timeout: 180_000 });
  if (ok) return output;
  const reason = /^E: (.*)/m.exec(output)?.[1] ?? output.trim().split('\n').pop();
  throw new NoNewerMesa(`${program} could not fetch it: ${reason}`);
}
