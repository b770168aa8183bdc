/// The page where pictures are dropped; it needs no database.
package enum TryPage {
  package static let page = Page(
    "Try it", at: .tryIt, script: "try.js",
    """
    <p class="lead">Pictures are sent to this server only, and not kept.</p>
    <div class="drop" id="drop"><p>Drop pictures here, or</p>
    <p><label class="button">choose files<input type="file" id="files" multiple \
    accept="image/jpeg,image/png,image/webp,image/bmp"></label></p></div>
    <form class="filter" id="asked">
    <label>question<input type="text" id="question" placeholder="the trained one" maxlength="1024">\
    </label>
    <label>sorted<select id="order"><option value="best">best first</option>\
    <option value="worst">worst first</option><option value="sent">as sent</option></select></label>
    <button type="button" id="download" disabled>Download CSV</button>
    <button type="button" id="clear" disabled>Clear</button></form>
    <p class="lead" id="count" role="status"></p>
    <ul class="gallery" id="results"></ul>
    <noscript><p class="warning">This page needs JavaScript; curl does without: \
    curl -F file=@photo.jpg http://…/v1/score</p></noscript>
    """)
}
