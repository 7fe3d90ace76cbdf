// One camera's picture: fetched only while it is shown, and gone at once when it is not.

const PICTURE_EVERY_MS = 400;

export class Picture {
  constructor(role) {
    this.figure = Object.assign(document.createElement("figure"), { className: "tile" });
    this.caption = this.figure.appendChild(document.createElement("figcaption"));
    this.role = role;
    this.run = null;
  }

  show(tile) {
    this.tile = tile;
    if (!tile?.show) this.stop();
    if (!tile) return;
    this.figure.toggleAttribute("data-bad", tile.bad);
    if (!tile.show) this.caption.textContent = tile.note;
    else if (!this.run) this.start();
  }

  start() {
    this.run = new AbortController();
    this.caption.textContent = this.tile.label;
    this.fetchOn(this.run.signal);
  }

  stop() {
    this.run?.abort();
    this.run = null;
    this.clear();
  }

  clear() {
    this.figure.removeAttribute("data-picture");
    this.image?.remove();
    if (this.url) URL.revokeObjectURL(this.url);
    this.image = this.url = null;
  }

  async fetchOn(signal) {
    for (let n = 0; !signal.aborted; n += 1) {
      try {
        const answer = await fetch(`/api/cameras/${this.role}/snapshot.jpg?n=${n}`, { signal });
        if (!answer.ok) throw new Error(answer.statusText);
        await this.draw(await answer.blob(), signal);
      } catch {
        if (signal.aborted) return;
        this.clear();
        this.caption.textContent = this.tile.lost;
      }
      await new Promise((resolve) => { setTimeout(resolve, PICTURE_EVERY_MS); });
    }
  }

  async draw(blob, signal) {
    const url = URL.createObjectURL(blob);
    const image = new Image();
    image.alt = "";
    image.src = url;
    try {
      await image.decode();
      if (signal.aborted) throw new DOMException("", "AbortError");
    } catch (error) {
      URL.revokeObjectURL(url);
      throw error;
    }
    this.clear();
    [this.image, this.url] = [image, url];
    this.figure.prepend(image);
    this.figure.setAttribute("data-picture", "");
    this.caption.textContent = this.tile.label;
  }
}
