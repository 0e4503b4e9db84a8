/**
 * Mesa's lavapipe, a Vulkan driver that runs on the CPU, through apt. Dawn refuses what Debian 12 and Ubuntu 22.04 ship
 * (Mesa 22 and 23), so on Debian the release's backports are added where they are needed, from the mirror that this
 * machine already uses.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './system.mjs';

const OLDEST_ACCEPTED = 24;
const PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1'];

/** `{ ok: true, how }`, or `{ ok: false, reason }` with the system as it was. */
export async function installLavapipe() {
  const { ID: distribution, VERSION_CODENAME: codename } = osRelease();
  if (distribution !== 'debian' && distribution !== 'ubuntu')
    return { ok: false, reason: 'this is not Debian or Ubuntu' };
  if (process.getuid() !== 0) return { ok: false, reason: 'only root may install one' };

  console.error('Installing a Vulkan driver for the CPU (mesa-vulkan-drivers; once) ...');
  await apt('update');
  let suite = await suiteWithDriver();
  let added;
  if (!suite && distribution === 'debian') {
    added = await addBackports(codename);
    suite = added && (await suiteWithDriver());
  }
  const installed = suite && (await apt('install', '-y', '--no-install-recommends', '-t', suite, ...PACKAGES));
  if (installed?.ok) return { ok: true, how: `mesa-vulkan-drivers was installed from ${suite}` };
  if (added) rmSync(added);
  const reason = installed
    ? `apt failed (${lastLine(installed.stderr)})`
    : `apt offers no mesa-vulkan-drivers ${OLDEST_ACCEPTED} or newer`;
  return { ok: false, reason };
}

/** lavapipe's manifest for the Vulkan loader, where it is installed. */
export function lavapipeManifest() {
  const folder = '/usr/share/vulkan/icd.d';
  const name = existsSync(folder) && readdirSync(folder).find((entry) => /^lvp_icd.*\.json$/.test(entry));
  return name ? join(folder, name) : undefined;
}

export function lavapipeHint() {
  const { ID: distribution, VERSION_CODENAME: codename } = osRelease();
  const backports = distribution === 'debian' && codename === 'bookworm' ? ' -t bookworm-backports' : '';
  return `mesa-vulkan-drivers ${OLDEST_ACCEPTED} or newer (apt-get install${backports} mesa-vulkan-drivers) is about 8x faster`;
}

/** The first configured suite whose mesa-vulkan-drivers Dawn accepts. */
async function suiteWithDriver() {
  const { stdout } = await run('apt-cache', ['madison', 'mesa-vulkan-drivers']);
  // mesa-vulkan-drivers | 25.0.7-2~bpo12+1 | http://mirror/debian bookworm-backports/main amd64 Packages
  for (const line of stdout.split('\n')) {
    const [, version = '', source = ''] = line.split('|').map((part) => part.trim());
    const suite = source.split(' ')[1]?.split('/')[0];
    if (suite && Number.parseInt(version.replace(/^\d+:/, ''), 10) >= OLDEST_ACCEPTED) return suite;
  }
  return undefined;
}

/** Adds `<codename>-backports` from the mirror that serves `<codename>`; the new file's path, or undefined. */
async function addBackports(codename) {
  const { stdout } = await run('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT)',
    'Created-By: Packages',
  ]);
  const targets = stdout.split('\n').map((line) => line.split(' '));
  const mirror = targets.find(([, release, component]) => release === codename && component === 'main')?.[0];
  if (!mirror) return undefined;
  const file = `/etc/apt/sources.list.d/${codename}-backports.sources`;
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(
    file,
    `Types: deb\nURIs: ${mirror}\nSuites: ${codename}-backports\nComponents: main\nSigned-By: ${keyring}\n`,
  );
  if ((await apt('update')).ok) return file;
  rmSync(file);
  return undefined;
}

function apt(command, ...args) {
  return run('apt-get', ['-q', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=300', command, ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
  });
}

function osRelease() {
  if (!existsSync('/etc/os-release')) return {};
  const pairs = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?(.*?)"?$/gm);
  return Object.fromEntries([...pairs].map(([, key, value]) => [key, value]));
}

function lastLine(text) {
  return text.trim().split('\n').pop();
}
