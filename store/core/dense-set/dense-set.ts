/** What a `DenseSet` holds. The field is the set's: nobody else writes it, and nothing is in two such sets. */
export type Placed = {
  /** Where it stands in its set; NO_PLACE: in none. */
  place: number;
};

export const NO_PLACE = -1;

/**
 * An unordered set as an array whose items know their place (Briggs and Torczon 1993, "sparse sets"): the last item takes the place of
 * the one that leaves. For what comes and goes with each request. A Map or Set of V8 makes a new table after so many additions, and the
 * old one, which still refers to all that was in it, also refers to the new one: where one of these outlives two scavenges, all that come
 * after it do, with all that was in them.
 */
export class DenseSet<Item extends Placed> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Does nothing where it is in already. */
  add(item: Item): void {
    if (item.place !== NO_PLACE) return;
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** Does nothing where it is in no set. */
  delete(item: Item): void {
    const { place } = item;
    if (place === NO_PLACE) return;
    item.place = NO_PLACE;
    const last = this.#items.pop() as Item;
    if (last === item) return;
    this.#items[place] = last;
    last.place = place;
  }

  /** In no order. Whoever adds or deletes meanwhile iterates over a copy. */
  [Symbol.iterator](): ArrayIterator<Item> {
    return this.#items[Symbol.iterator]();
  }
}
