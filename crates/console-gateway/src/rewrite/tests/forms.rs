//! How do values hold more than one URL, or more than a URL?

use super::{BASE, become_of, stay};

#[test]
fn every_candidate_of_a_srcset_is_rewritten() {
    become_of(
        BASE,
        &[
            (
                "<img srcset=\"//admin.example/a.png 1x,http://admin.example/b.png 2x , //cdn.example/c.png 3x\">",
                "<img srcset=\"/a.png 1x,/b.png 2x , //cdn.example/c.png 3x\">",
            ),
            ("<img srcset='//admin.example/a,b.png 1x'>", "<img srcset='/a,b.png 1x'>"),
            ("<img srcset='//admin.example/a.png, //admin.example/b.png'>", "<img srcset='/a.png, /b.png'>"),
            ("<img srcset=',,//admin.example/a.png,,'>", "<img srcset=',,/a.png,,'>"),
            ("<img srcset=https:admin.example>", "<img srcset=/>"),
            ("<img srcset=//admin.example/a.png>", "<img srcset=/a.png>"),
            (
                "<img srcset='data:image/png,//admin.example/ 1x, //admin.example/x 2x'>",
                "<img srcset='data:image/png,//admin.example/ 1x, /x 2x'>",
            ),
            (
                "<img srcset='/a.png calc(1x, //admin.example/x) , //admin.example/y 2x'>",
                "<img srcset='/a.png calc(1x, //admin.example/x) , /y 2x'>",
            ),
            (
                "<img srcset='\n\t//admin.example/a.png\n640w,\n\t//admin.example/b.png\n1280w\n'>",
                "<img srcset='\n\t/a.png\n640w,\n\t/b.png\n1280w\n'>",
            ),
            ("<source srcset='&#47;/admin.example/a.png 2x'>", "<source srcset='/a.png 2x'>"),
            ("<link imagesrcset='//admin.example/a.png 2x'>", "<link imagesrcset='/a.png 2x'>"),
        ],
    );
    stay(
        BASE,
        &["<img srcset='/a.png 1x,//cdn.example/b.png 2x'>", "<img srcset=''>", "<img srcset>", "<img srcset=','>"],
    );
}

#[test]
fn every_url_of_a_ping_is_rewritten() {
    become_of(
        BASE,
        &[(
            "<a ping=' //admin.example/a\n//cdn.example/b\thttp://admin.example/c '>",
            "<a ping=' /a\n//cdn.example/b\t/c '>",
        )],
    );
    stay(BASE, &["<a ping='//cdn.example/a,//admin.example/b'>"]);
}

#[test]
fn the_url_of_a_refresh_is_rewritten() {
    for (content, after) in [
        ("5;url=http://admin.example/x", "5;url=/x"),
        ("5; URL = //admin.example/x", "5; URL = /x"),
        ("0,url=//admin.example/x", "0,url=/x"),
        ("0;https:admin.example", "0;/"),
        ("0 url=//admin.example/x", "0 url=/x"),
        (" 5.9 ; //admin.example/x", " 5.9 ; /x"),
        (".5;//admin.example/x", ".5;/x"),
        ("5;url='//admin.example/x' and more", "5;url='/x' and more"),
        ("5;'//admin.example/x'", "5;'/x'"),
        ("5;u&#114;l=&#47;/admin.example/x", "5;u&#114;l=/x"),
    ] {
        become_of(
            BASE,
            &[
                (
                    &format!("<meta http-equiv=refresh content=\"{content}\">"),
                    &format!("<meta http-equiv=refresh content=\"{after}\">"),
                ),
                (
                    &format!("<META content=\"{content}\" HTTP-EQUIV='Re&#102;resh'>"),
                    &format!("<META content=\"{after}\" HTTP-EQUIV='Re&#102;resh'>"),
                ),
            ],
        );
    }
    for content in
        ["5", "", "url=//admin.example/x", "5url=//admin.example/x", "5;url//admin.example/x", "5;url=x//admin.example"]
    {
        stay(BASE, &[&format!("<meta http-equiv=refresh content=\"{content}\">")]);
    }
    stay(
        BASE,
        &[
            "<meta name=refresh content=\"5;url=//admin.example/x\">",
            "<meta http-equiv=refreshed content=\"5;url=//admin.example/x\">",
            "<div http-equiv=refresh content=\"5;url=//admin.example/x\">",
        ],
    );
}

#[test]
fn the_urls_of_an_inline_style_are_rewritten() {
    for (style, after) in [
        ("background:url(http://admin.example/a.png)", "background:url(/a.png)"),
        ("background:URL( //admin.example/a.png ) no-repeat", "background:URL( /a.png ) no-repeat"),
        ("background:url('//admin.example/a.png')", "background:url('/a.png')"),
        ("background:url(&quot;//admin.example/a.png&quot;)", "background:url(&quot;/a.png&quot;)"),
        ("a:url(//admin.example/a);b:url(//admin.example/b)", "a:url(/a);b:url(/b)"),
        ("/* ' */a:url(//admin.example/a)", "/* ' */a:url(/a)"),
        ("content:'\\'';a:url(//admin.example/a)", "content:'\\'';a:url(/a)"),
        ("a:url(//cdn.example/a),url(//admin.example/b)", "a:url(//cdn.example/a),url(/b)"),
        ("a:url(//admin.example", "a:url(/"),
    ] {
        become_of(BASE, &[(&format!("<p style=\"{style}\">"), &format!("<p style=\"{after}\">"))]);
    }
    for style in [
        "content:'url(//admin.example/a)'",
        "/* url(//admin.example/a) */",
        "a:my-url(//admin.example/a)",
        "a:url(\\2f/admin.example/a)",
        "--x://admin.example/a",
        "a:image-set('//admin.example/a' 1x)",
        "a:url(/a)",
    ] {
        stay(BASE, &[&format!("<p style=\"{style}\">")]);
    }
}
