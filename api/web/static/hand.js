// The items in my hand: leased ahead, their leases renewed, given back when I leave.

import { get, post } from "./api.js";

const AHEAD = 5; // the item on screen and those that wait behind it
const EMPTY_WAIT = 15_000;

export class Hand {
  /** only: which items; seconds: length of a lease; changed: called when the first item may have
   *  changed; lost: called with an item that somebody else took. */
  constructor(only, seconds, changed, lost) {
    Object.assign(this, { only, changed, lost });
    this.entries = [];
    this.leaving = new Set(); // acted on, the service has not answered yet
    this.asking = null;
    setInterval(() => this.renew(), (seconds * 1000) / 3);
    setInterval(() => this.entries.length || this.refill(), EMPTY_WAIT);
    addEventListener("pagehide", () => this.giveBack());
  }

  get first() {
    return this.entries[0];
  }

  get ids() {
    return this.entries.map((entry) => entry.item.id);
  }

  /** Lease until there are enough; one request at a time. */
  refill() {
    this.asking ??= this.lease().finally(() => { this.asking = null; });
    return this.asking;
  }

  async lease() {
    const count = AHEAD - this.entries.length;
    if (count <= 0) return;
    const without = [...this.ids, ...this.leaving];
    const { items } = await post("/v1/reviews/lease", { count, only: this.only, without });
    // The first one is shown as soon as it is there, not when all of them are.
    for (const entry of items.map((item) => this.details(item.id))) {
      const found = await entry;
      if (found && !this.ids.includes(found.item.id)) this.entries.push(found);
      this.changed();
    }
    this.changed();
  }

  async details(id) {
    const found = await get(`/v1/reviews/${id}/details`).catch(() => null);
    return found && { ...found, extra: [] };
  }

  /** Put an item before the others. */
  async putFirst(id) {
    const entry = await this.details(id);
    this.entries = this.entries.filter((one) => one.item.id !== id);
    if (entry) this.entries.unshift(entry);
    this.changed();
  }

  /** Take the first item out of the hand; `settled` once the service has answered. */
  take() {
    const entry = this.entries.shift();
    this.leaving.add(entry.item.id);
    return entry;
  }

  settled(entry) {
    this.leaving.delete(entry.item.id);
  }

  async renew() {
    if (!this.entries.length) return;
    try {
      await post("/v1/reviews/renew", { items: this.ids });
    } catch (error) {
      const gone = this.entries.find((entry) => entry.item.id === error.context.item);
      if (!gone) return; // no connection: the next time
      this.entries = this.entries.filter((entry) => entry !== gone);
      this.lost(gone, error);
      await this.renew();
      await this.refill();
    }
  }

  giveBack() {
    if (this.entries.length) {
      post("/v1/reviews/release", { items: this.ids }, { keepalive: true }).catch(() => {});
    }
    this.entries = [];
  }
}
