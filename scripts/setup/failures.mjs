/** Why npm failed, in one line that says what to do: from the codes in its output, whose own words fill a screen. */

const CODE = /^npm (?:error|ERR!) code (\S+)/m;
const PROXY = 'behind a proxy: HTTPS_PROXY=http://host:port, or npm config set proxy http://host:port';

/** Codes that say that the registry was not reached, and how that came. */
const UNREACHED = {
  ENOTFOUND: 'its name is not known here',
  EAI_AGAIN: 'its name is not known here',
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'the connection breaks',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'nothing answers',
  ERR_SOCKET_TIMEOUT: 'nothing answers',
  FETCH_ERROR: 'the connection breaks',
  ENOTCACHED: 'nothing answers',
};

/** `undefined` where the output does not speak of a network that fails. */
export function networkFailure(output) {
  const { code, host } = readOutput(output);
  if (/proxy.*\b407\b|\b407\b.*proxy|E407/i.test(output)) {
    return `the proxy asks for a name and a password: HTTPS_PROXY=http://name:password@host:port`;
  }
  if (/CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO_/.test(code)) {
    return `the certificate of ${host} is not trusted here (${code}); NODE_EXTRA_CA_CERTS=<file.pem> adds the authority of your network`;
  }
  const how = UNREACHED[code];
  return how && `${host} cannot be reached: ${how} (${code}); without a network nothing can be installed; ${PROXY}`;
}

/** What kept npm from installing. */
export function npmFailure(output) {
  const { code, path, host, first } = readOutput(output);
  if (/ENOSPC|EDQUOT/.test(code))
    return 'the disk is full: the packages take 980 MB, and as much again in the cache of npm';
  if (/EACCES|EPERM|EROFS/.test(code) && path) {
    return `${path} cannot be written (${code}): take a copy of this repository, and a home directory, that are yours`;
  }
  if (/E401|E403/.test(code))
    return `${host} refuses (${code}): npm config get registry says who is asked, npm login tells it who you are`;
  if (/ETARGET|E404/.test(code)) return `${host} lacks a package (${first}): npm config get registry says who is asked`;
  return networkFailure(output) ?? `npm says: ${first}`;
}

function readOutput(output) {
  const code = output.match(CODE)?.[1] ?? (/ENOSPC/.test(output) ? 'ENOSPC' : '');
  const path = output.match(/^npm (?:error|ERR!) path (.+)/m)?.[1];
  const host = output.match(/https?:\/\/([^\s/]+)\//)?.[1] ?? 'the npm registry';
  const said = [...output.matchAll(/^npm (?:error|ERR!) (?!code |syscall |errno |path )(.+)/gm)].map(
    ([, text]) => text,
  );
  return { code, path, host, first: said[0] ?? (output.trim().split('\n').pop() || 'nothing') };
}
