/** The paths that a source is asked for, checked once more before they name a file or go into a URL. */

/**
 * The elements of a path of the protocol: `/latest`, `/lookup/…`, `/tile/…` or `/supported`. Each is a plain name:
 * not `.` or `..`, nothing but letters, digits and `!@._~+-`. So they can name a file below a folder on every system.
 *
 * @throws {Error} for anything else: paths are made by our own formatters, so a bad one is a bug of ours.
 */
export function pathElements(path: string): string[] {
  const [root, ...elements] = path.split('/');
  const plain = elements.every((element) => /^[A-Za-z0-9!@._~+-]+$/.test(element) && element !== '.' && element !== '..');
  const whole = ['latest', 'supported'].includes(elements[0] ?? '') ? elements.length === 1 : elements.length > 1;
  if (root !== '' || !plain || !whole || !/^(?:latest|supported|lookup|tile)$/.test(elements[0] ?? '')) {
    throw new Error(`bad path of a read: ${JSON.stringify(path)}`);
  }
  return elements;
}
