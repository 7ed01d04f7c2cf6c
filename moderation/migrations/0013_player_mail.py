import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('moderation', '0012_intake'),
    ]

    operations = [
        migrations.AddField(
            model_name='player',
            name='mail_stopped_at',
            field=models.DateTimeField(blank=True, help_text='When they asked not to be written to.', null=True, verbose_name='no mail'),
        ),
        migrations.CreateModel(
            name='Mailing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('refused', models.CharField(blank=True, db_default='', max_length=64)),
                ('player', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='mailings', to='moderation.player')),
            ],
            options={
                'verbose_name': 'mail',
                'indexes': [models.Index(fields=['player', '-at'], name='mailing_player'), models.Index(fields=['at'], name='mailing_time')],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(max_length=16)),
                ('target', models.BigIntegerField()),
                ('said', models.CharField(blank=True, db_default='', max_length=40)),
                ('waiting', models.BooleanField(default=True)),
                ('corrects', models.BooleanField(default=False, help_text='The news takes back something that was told.')),
                ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='When there was news last.')),
                ('player', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='moderation.player')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('waiting', True)), fields=['player'], name='notice_waiting'), models.Index(fields=['changed_at'], name='notice_time')],
                'constraints': [models.UniqueConstraint(fields=('player', 'topic', 'target'), name='notice_once')],
            },
        ),
    ]
