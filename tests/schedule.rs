//! `schedule`: what makes a machine run what is due by itself.

use crate::support::{STORE_A, Shop};

fn shop(every: &str) -> Shop {
    Shop::new().config(STORE_A).config(&format!(
        "[integrations.store-a.stock]\ndirection = \"download\"\nwarehouse = \"main\"\n{every}\n"
    ))
}

#[test]
fn a_crontab_line_runs_what_is_due() {
    let shop = shop("every = \"15m\"").file("store.csv", "id,sku,ean,name,qty,price\n1,A,,,3,1\n");
    let ran = shop.run("schedule").code(0);
    let config = shop.path("invsync.toml");
    let program = env!("CARGO_BIN_EXE_invsync");
    let (when, command) = ran.stdout.trim_end().split_at(12);
    assert_eq!(when, "*/5 * * * * ");
    assert_eq!(
        command,
        format!("{program} --config {} sync --all --due --quiet", config.display())
    );
    // As cron would: by sh, from another folder, with hardly any environment.
    let mut cron = std::process::Command::new("sh");
    cron.args(["-c", command]).current_dir("/").env_clear();
    shop.finish(&mut cron).code(0).silent();
    assert_eq!(shop.run("runs").code(0).stdout.matches("store-a").count(), 1);
}

#[test]
fn cron_cannot_follow_what_is_shorter_than_a_minute() {
    let shop = shop("every = \"30s\"");
    let ran = shop.run("schedule").code(0).stdout("* * * * * /");
    insta::assert_snapshot!(ran.stderr, @"cron looks once a minute: the `every` of store-a.stock is shorter. `invsync schedule --systemd` can follow it");
}

#[test]
fn nothing_to_schedule_is_wrong_usage() {
    let stderr = shop("").run("schedule").code(2).stderr;
    insta::assert_snapshot!(stderr, @r#"error: no section in invsync.toml has an `every`, so nothing would ever be due. Give each section that is to run by itself one, such as every = "15m", and ask again"#);
}

#[test]
fn units_of_systemd() {
    let shop = shop("every = \"15m\"\njitter = \"2m\"");
    let ran = shop.run("schedule --systemd").code(0);
    let folder = shop.path("");
    let folder = folder.to_str().unwrap().trim_end_matches('/');
    let user = ran.stdout.lines().find(|line| line.starts_with("User=")).unwrap().to_owned();
    let shown = ran
        .stdout
        .replace(env!("CARGO_BIN_EXE_invsync"), "/usr/local/bin/invsync")
        .replace(folder, "/srv/shop")
        .replace(&user, "User=shop");
    insta::assert_snapshot!(shown, @r#"
        cat > /etc/systemd/system/invsync.service <<'EOF'
        [Unit]
        Description=invsync: what is due in /srv/shop/invsync.toml
        Wants=network-online.target
        After=network-online.target

        [Service]
        Type=oneshot
        User=shop
        WorkingDirectory=/srv/shop
        ExecStart=/usr/local/bin/invsync --config /srv/shop/invsync.toml sync --all --due --quiet
        # The timer goes on whatever happens. Exit codes other than these mark the unit
        # as failed. 6: another run is working on it. Add 3 (partial) and 7 (it tries
        # again by itself) to hear of less.
        SuccessExitStatus=6
        EOF
        cat > /etc/systemd/system/invsync.timer <<'EOF'
        [Unit]
        Description=invsync: look whether something is due

        [Timer]
        OnCalendar=*:*
        AccuracySec=1s
        RandomizedDelaySec=60s
        FixedRandomDelay=true
        Persistent=true

        [Install]
        WantedBy=timers.target
        EOF
        systemctl daemon-reload
        systemctl enable --now invsync.timer
        "#);
}
