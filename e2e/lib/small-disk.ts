import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

/** Why this machine cannot make small disks; undefined where it can. */
export function smallDiskObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'loop mounts are of Linux';
  return process.getuid?.() === 0 ? undefined : 'a small disk is mounted, which needs root';
}

/** A small ext4 file system in a file, mounted by loop; needs root. */
export class SmallDisk implements Disposable {
  readonly mountPoint: string;
  readonly #image: string;

  private constructor(directory: string) {
    this.mountPoint = `${directory}/mnt`;
    this.#image = `${directory}/disk.img`;
  }

  static create(directory: string, megabytes: number): SmallDisk {
    const disk = new SmallDisk(directory);
    mkdirSync(disk.mountPoint, { recursive: true });
    execFileSync('truncate', ['-s', `${megabytes}M`, disk.#image]);
    execFileSync('mkfs.ext4', ['-q', '-F', disk.#image]);
    execFileSync('mount', ['-o', 'loop', disk.#image, disk.mountPoint]);
    return disk;
  }

  /** Takes up room beside the data. */
  occupy(megabytes: number): void {
    execFileSync('fallocate', ['-l', `${megabytes}M`, this.#ballast]);
  }

  /** Writes until nothing is left. */
  fillUp(): void {
    try {
      for (let i = 0; i < 4096; i++) writeFileSync(this.#ballast, Buffer.alloc(1 << 20), { flag: 'a' });
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error;
    }
  }

  makeRoom(): void {
    rmSync(this.#ballast, { force: true });
  }

  get #ballast(): string {
    return `${this.mountPoint}/ballast`;
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['-l', this.mountPoint]);
    rmSync(this.#image, { force: true });
  }
}
